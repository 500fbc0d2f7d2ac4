import type { NodeView, PluginOnNode } from '../../src/api/schema/node-view.ts';
import type { PluginView, RevisionView } from '../../src/api/schema/plugin-view.ts';

// Texts hold the reader's own clock.
process.env.TZ = 'UTC';

/** The instant that all views are of. */
export const AT = '2026-11-21T12:00:00.000Z';

/** A plugin that runs on its one node, with what differs. */
export function pluginView(
  status: Partial<PluginView['status']> = {},
  spec: PluginView['spec'] = { url: 'oci://127.0.0.1:18002/auth:1.4' },
): PluginView {
  return {
    kind: 'Plugin',
    apiVersion: 'attache/v1',
    metadata: { namespace: 'default', name: 'auth', resourceVersion: '7', createdAt: AT },
    spec,
    status: {
      phase: 'Succeeded',
      reason: null,
      message: null,
      hint: null,
      code: null,
      settled: true,
      currentRevision: 1,
      desiredRevision: 1,
      module: {
        sha256: '9f2c4be01d77'.padEnd(64, '0'),
        sizeBytes: 254_000,
        url: 'oci://127.0.0.1:18002/auth:1.4',
        referenceDigest: null,
        manifestDigest: null,
        mirror: null,
        layout: 'compat-image',
        abi: '0.2.1',
        importCount: 27,
        signature: null,
        trial: { outcome: 'ok', reason: null, tookMs: 4, unknowable: [] },
      },
      nodes: nodeCounts(),
      refusal: null,
      rollout: null,
      heldBack: null,
      tag: null,
      deleted: null,
      since: AT,
      ...status,
    },
  };
}

/** One node, which runs it. */
export function nodeCounts(
  fields: Partial<PluginView['status']['nodes']> = {},
): PluginView['status']['nodes'] {
  return {
    targeted: 1,
    accepted: 1,
    loaded: 0,
    refused: 0,
    waiting: 0,
    pending: 0,
    degraded: 0,
    disconnected: 0,
    noPlace: 0,
    ...fields,
  };
}

/** The first revision of a plugin's history. */
export function revisionView(fields: Partial<RevisionView> = {}): RevisionView {
  return {
    kind: 'Revision',
    plugin: 'default/auth',
    number: 1,
    contentHash: 'c',
    config: 'a41b09',
    result: 'live',
    module: {
      sha256: '9f2c4be01d77'.padEnd(64, '0'),
      sizeBytes: 254_000,
      url: 'oci://127.0.0.1:18002/auth:1.4',
      referenceDigest: null,
      manifestDigest: null,
      mirror: null,
      layout: 'compat-image',
      abi: '0.2.1',
      importCount: 27,
      signature: null,
      trial: { outcome: 'ok', reason: null, tookMs: 4, unknowable: [] },
    },
    spec: {},
    message: null,
    createdAt: AT,
    ...fields,
  };
}

export const REFUSAL: NonNullable<PluginView['status']['refusal']> = {
  revision: 2,
  node: 'demo-1',
  message: 'Unable to create Wasm plugin default/auth',
  since: AT,
  cause: "that node's Envoy log; look for 'wasm log default/auth'",
};

export function onNode(fields: Partial<PluginOnNode> = {}): PluginOnNode {
  return {
    node: 'demo-1',
    plugin: 'default/auth',
    state: 'Accepted',
    reason: null,
    detail: null,
    revision: 1,
    desiredRevision: 1,
    refusedRevision: null,
    refusedSince: null,
    message: null,
    cause: null,
    since: AT,
    lastKnown: false,
    ...fields,
  };
}

export function nodeView(status: Partial<NodeView['status']> = {}): NodeView {
  return {
    kind: 'Node',
    metadata: { name: 'demo-1', namespace: 'default', labels: { role: 'edge' }, firstSeenAt: AT },
    status: {
      state: 'Connected',
      since: AT,
      worst: 'Accepted',
      cluster: 'demo',
      zone: 'b',
      envoyVersion: '1.40.0',
      groups: [],
      layout: 'chain',
      wasm: true,
      lastAckAt: AT,
      silentSince: null,
      envoys: [],
      excluded: null,
      accepted: 1,
      desired: 1,
      places: ['attache.authn/ingress'],
      settings: { namespace: null, labels: {}, claims: null, certificate: null, admin: null, logFile: null },
      claimed: null,
      plugins: [onNode()],
      refusedResources: [],
      warnings: [],
      ...status,
    },
  };
}
