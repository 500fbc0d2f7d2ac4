import type { Assignment, Placement, Side } from '../../src/model/assignment.ts';
import type { NodePresence } from '../../src/model/node.ts';
import type { NodeVerdict } from '../../src/model/node-verdict.ts';
import type { PluginSpec } from '../../src/model/plugin-spec.ts';
import type { RevisionConfig } from '../../src/model/revision.ts';
import type { Rollout } from '../../src/model/rollout.ts';

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

export function makeSide(revision: number | null, placement: Placement = {}): Side {
  return { revision, placement, format: 1 };
}

/** Everyone on revision 2, no rollout under way. */
export function makeAssignment(over: Partial<Assignment> = {}): Assignment {
  return { plugin: PLUGIN, createdAt: 1, base: makeSide(2), moved: [], since: NOW - 10_000, ...over };
}

/** An update from revision 1 to 2 that succeeded; its document is the one of store revision 7. */
export function makeRollout(over: Partial<Rollout> = {}): Rollout {
  return {
    id: 'default.auth.1',
    plugin: PLUGIN,
    number: 1,
    kind: 'update',
    from: makeSide(1),
    to: makeSide(2),
    specRevision: 7,
    strategy: {
      preset: 'fast',
      waves: [
        {
          name: null,
          selector: null,
          steps: [{ size: { percent: 100 }, soakMs: 0, pause: null }],
          pause: null,
        },
      ],
      bakeMs: 60_000,
      ackTimeoutMs: 60_000,
      progressDeadlineMs: 600_000,
      maxDisconnected: 0.2,
      gates: [],
      onFailure: 'rollback',
    },
    by: 'admin',
    phase: 'Succeeded',
    since: NOW - 1_000,
    startedAt: NOW - 9_000,
    targets: 1,
    steps: [],
    step: 0,
    stage: null,
    timer: null,
    gates: [],
    ...over,
  };
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
    tried: tried === null ? null : { ...content(tried), acked: tried === accepted },
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

/** What a revision is looked up for, of one that goes anywhere. */
export function makeConfig(over: Partial<RevisionConfig> = {}): RevisionConfig {
  return { env: [], phase: 'UNSPECIFIED_PHASE', priority: 0, match: [], ...over };
}
