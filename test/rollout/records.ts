import type { Assignment } from '../../src/model/assignment.ts';
import type { NodePresence } from '../../src/model/node.ts';
import type { NodeVerdict, PluginInSlot, VerdictState } from '../../src/model/node-verdict.ts';
import type { PluginSpec } from '../../src/model/plugin-spec.ts';
import type { ModuleProgress, Revision } from '../../src/model/revision.ts';

/** Records as the other stages write them, with only what a rollout test cares about to say. */
export const PLUGIN = 'default/auth';
export const FORMAT = 1;
export const PLACE = 'attache.last/in';

export function makeSpec(fields: Partial<PluginSpec> = {}): PluginSpec {
  return {
    namespace: 'default',
    name: 'auth',
    url: 'oci://registry.example/auth:1',
    createdAt: 1,
    ...fields,
  };
}

export function makeRevision(number: number, plugin = PLUGIN): Revision {
  const config = { env: [], phase: 'UNSPECIFIED_PHASE', priority: 0, match: [] } as const;
  const module = { sha256: 'ab', sizeBytes: 1, url: 'u', layout: 'file', abi: '0.2.1', importCount: 1 };
  return {
    plugin,
    number,
    contentHash: `content-${number}`,
    configHash: 'c',
    config,
    module,
    createdAt: 1,
  };
}

export function makeReady(revision: number, specRevision: number, plugin = PLUGIN): ModuleProgress {
  return { plugin, specRevision, state: 'ready', revision, since: 1 };
}

export function makeAssignment(fields: Partial<Assignment> = {}): Assignment {
  const base = { revision: 1, placement: {}, format: FORMAT };
  return { plugin: PLUGIN, createdAt: 1, base, moved: [], since: 100, ...fields };
}

export interface VerdictFields {
  readonly node?: string;
  readonly process?: string;
  readonly slot?: string;
  readonly state?: VerdictState;
  readonly tried?: number | null;
  readonly accepted?: number | null;
  readonly acceptedAt?: number;
  readonly refused?: { readonly revision?: number; readonly at: number; readonly plugin?: string | null };
  readonly plugin?: string;
  readonly since?: number;
}

/** What one node said of one plugin, by revision numbers; null: content without the plugin. */
export function makeVerdict(fields: VerdictFields): NodeVerdict {
  const { node = 'edge-1', process = 'p1', slot = PLACE, plugin = PLUGIN, since = 1 } = fields;
  const content = (revision: number | null) => ({
    contentHash: `${revision}`,
    plugins: (revision === null ? [] : [{ plugin, revision }]) satisfies PluginInSlot[],
  });
  const { tried = fields.accepted, accepted, refused } = fields;
  return {
    node,
    process,
    slot,
    state: fields.state ?? 'accepted',
    since,
    tried: tried === undefined ? null : { ...content(tried), acked: tried === accepted },
    accepted: accepted === undefined ? null : { ...content(accepted), at: fields.acceptedAt ?? since },
    refused: refused === undefined ? null : makeRefused(refused, plugin),
  };
}

function makeRefused({ plugin, ...rest }: NonNullable<VerdictFields['refused']>, own: string) {
  const named = plugin === null ? {} : { plugin: plugin ?? own };
  return { contentHash: 'x', ...named, message: 'Unable to create Wasm plugin', healed: false, ...rest };
}

export function makePresence(id = 'edge-1', fields: Partial<NodePresence> = {}): NodePresence {
  return {
    node: {
      id,
      cluster: '',
      namespace: 'default',
      labels: {},
      zone: '',
      envoyVersion: '1.40.0',
      capabilities: { filterChain: true, wasm: true, failReload: true },
      bootstrap: {},
    },
    process: 'p1',
    connected: true,
    since: 1,
    firstSeenAt: 1,
    slots: [PLACE],
    nacks: [],
    ...fields,
  };
}
