import type { Assignment } from '../../src/model/assignment.ts';
import type { NodePresence } from '../../src/model/node.ts';
import type { NodeVerdict } from '../../src/model/node-verdict.ts';
import type { PluginSpec } from '../../src/model/plugin-spec.ts';

/** Records as the stages write them, for the plugin default/auth on the node edge-1. */

export const NOW = 10_000_000;
export const PLUGIN = 'default/auth';

export function makeSpec(over: Partial<PluginSpec> = {}): PluginSpec {
  return { namespace: 'default', name: 'auth', url: 'oci://r/auth:1', createdAt: 1, ...over };
}

export function makePresence(
  over: Partial<NodePresence> = {},
  node: Partial<NodePresence['node']> = {},
): NodePresence {
  return {
    node: {
      id: 'edge-1',
      cluster: 'edge',
      namespace: 'default',
      labels: { app: 'gateway' },
      zone: '',
      envoyVersion: '1.40.0',
      capabilities: { filterChain: true, wasm: true, failReload: true },
      bootstrap: {},
      ...node,
    },
    process: 'p1',
    connected: true,
    since: NOW - 60_000,
    firstSeenAt: NOW - 60_000,
    slots: ['attache.authn', 'attache.authz', 'attache.stats', 'attache.last'],
    nacks: [],
    ...over,
  };
}

export function makeAssignment(over: Partial<Assignment> = {}): Assignment {
  return { plugin: PLUGIN, revision: 2, good: 1, format: 1, since: NOW - 10_000, ...over };
}

/** A verdict whose `tried` and `accepted` hold default/auth in these revisions; null: not at all. */
export function makeVerdict(
  tried: number | null,
  accepted: number | null,
  over: Partial<NodeVerdict> = {},
): NodeVerdict {
  const content = (revision: number) => ({
    contentHash: `h${revision}`,
    plugins: [{ plugin: PLUGIN, revision }],
  });
  return {
    node: 'edge-1',
    process: 'p1',
    slot: 'attache.last',
    state: 'accepted',
    since: NOW - 5_000,
    tried: tried === null ? null : content(tried),
    accepted: accepted === null ? null : { ...content(accepted), at: NOW - 4_000 },
    refused: null,
    ...over,
  };
}

export function makeRefused(revision: number, healed = false): NonNullable<NodeVerdict['refused']> {
  return {
    contentHash: `h${revision}`,
    plugin: PLUGIN,
    revision,
    message: `Unable to create Wasm plugin ${PLUGIN}`,
    at: NOW - 2_000,
    healed,
  };
}
