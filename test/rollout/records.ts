import type { Assignment } from '../../src/model/assignment.ts';
import type { NodePresence } from '../../src/model/node.ts';
import type { NodeVerdict, PluginInSlot, VerdictState } from '../../src/model/node-verdict.ts';
import type { PluginSpec } from '../../src/model/plugin-spec.ts';
import type { ModuleProgress, Revision } from '../../src/model/revision.ts';

/** Records as the other stages write them, with only what a rollout test cares about to say. */
export const PLUGIN = 'default/auth';
export const FORMAT = 1;

export function makeSpec(name = 'auth'): PluginSpec {
  return { namespace: 'default', name, url: 'oci://registry.example/auth:1', createdAt: 1 };
}

export function makeRevision(number: number, plugin = PLUGIN): Revision {
  const config = { env: [], phase: 'UNSPECIFIED_PHASE', priority: 0, match: [] } as const;
  const module = { sha256: 'ab', sizeBytes: 1, url: 'u', layout: 'file', abi: '0.2.1', importCount: 1 };
  return { plugin, number, contentHash: `${number}`, configHash: 'c', config, module, createdAt: 1 };
}

export function makeReady(revision: number, specRevision: number, plugin = PLUGIN): ModuleProgress {
  return { plugin, specRevision, state: 'ready', revision, since: 1 };
}

export function makeAssignment(fields: Partial<Assignment> = {}): Assignment {
  return { plugin: PLUGIN, revision: 1, good: null, format: FORMAT, since: 100, ...fields };
}

interface VerdictFields {
  readonly node?: string;
  readonly process?: string;
  readonly slot?: string;
  readonly state?: VerdictState;
  readonly tried?: number;
  readonly accepted?: number;
  readonly refused?: { readonly revision: number; readonly at: number; readonly plugin?: string };
  readonly plugin?: string;
}

/** What one node said of one plugin, by revision numbers. */
export function makeVerdict(fields: VerdictFields): NodeVerdict {
  const { node = 'edge-1', process = 'p1', slot = 'attache.last/in', plugin = PLUGIN } = fields;
  const content = (revision: number) => ({
    contentHash: `${revision}`,
    plugins: [{ plugin, revision }] satisfies PluginInSlot[],
  });
  const { tried, accepted, refused } = fields;
  return {
    node,
    process,
    slot,
    state: fields.state ?? 'accepted',
    since: 1,
    tried: tried === undefined ? null : content(tried),
    accepted: accepted === undefined ? null : { ...content(accepted), at: 1 },
    refused: refused
      ? { contentHash: 'x', plugin, message: 'Unable to create Wasm plugin', healed: false, ...refused }
      : null,
  };
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
    slots: ['attache.last/in'],
    nacks: [],
    ...fields,
  };
}
