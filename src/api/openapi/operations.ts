import * as examples from './examples.ts';
import type { Operation } from './operation.ts';

const VERB = ['illegal-action', 'conflict'] as const;
const DOCUMENT = ['unknown-field', 'wrong-type', 'missing-field', 'out-of-bounds', 'contradiction'] as const;
const APPLIED = [
  ...DOCUMENT,
  'not-supported',
  'unknown-kind',
  'name-mismatch',
  'frozen',
  'conflict',
] as const;
const RESOURCE = [
  ...APPLIED,
  ...['unknown-type', 'wrong-resource', 'redacted-value', 'name-conflict', 'address-conflict'],
] as const;
const ADMIN = [
  'node-admin-unset',
  'admin-unreachable',
  'admin-bad-answer',
  'admin-other-node',
  'admin-address-refused',
] as const;
const PLUGIN = '/v1/plugins/:namespace/:name';
const MESSAGE = { example: examples.MESSAGE } as const;

/**
 * What the OpenAPI document says of each route, by method and path. A route without a row makes
 * test/integration/openapi.test.ts fail.
 */
export const OPERATIONS: Readonly<Record<string, Operation>> = {
  'GET /': { id: 'getIndex', summary: 'What is where' },
  'GET /version': { id: 'getVersion', summary: 'The version of the server' },
  'GET /healthz': { id: 'getHealth', summary: 'The server runs' },
  'GET /readyz': { id: 'getReadiness', summary: 'The store answers', problems: ['not-ready'] },
  'GET /v1/whoami': { id: 'whoAmI', summary: 'Who asks, and what they may do' },
  'GET /v1/limits': { id: 'listLimits', summary: 'Limits of the xDS port, and how often they were hit' },
  'GET /v1/server': { id: 'getServer', summary: 'The machine that the server runs on: Node.js, clock, disk' },
  'GET /v1/backup': { id: 'takeBackup', summary: 'All that the data directory holds, as a tar archive' },

  'GET /v1/plugins': { id: 'listPlugins', summary: 'Plugins, and how far they got' },
  [`GET ${PLUGIN}`]: { id: 'getPlugin', summary: 'A plugin, and how it stands on each node' },
  [`PUT ${PLUGIN}`]: {
    id: 'applyPlugin',
    summary: 'Create a plugin, or replace its document',
    problems: [...APPLIED, 'config-mismatch'],
    body: 'PluginDocument',
    example: examples.PLUGIN,
  },
  [`PATCH ${PLUGIN}`]: {
    id: 'patchPlugin',
    summary: 'Change parts of the document of a plugin',
    problems: [...APPLIED, 'config-mismatch'],
    body: 'PluginPatch',
    example: examples.PATCH,
  },
  [`DELETE ${PLUGIN}`]: {
    id: 'deletePlugin',
    summary: 'Take a plugin off its nodes, step by step',
    problems: ['frozen', 'conflict'],
  },
  [`GET ${PLUGIN}/revisions`]: { id: 'listRevisions', summary: 'Revisions of a plugin' },
  [`GET ${PLUGIN}/revisions/:number`]: { id: 'getRevision', summary: 'A revision of a plugin' },
  [`GET ${PLUGIN}/diff`]: { id: 'diffRevisions', summary: 'What differs between two revisions' },
  [`GET ${PLUGIN}/rollouts`]: {
    id: 'listPluginRollouts',
    summary: 'What was tried with a plugin, and what came of it',
  },
  [`POST ${PLUGIN}/undo`]: {
    id: 'undoPlugin',
    summary: 'Go back: end an active rollout, or return to the good revision before',
    problems: [...VERB, 'signature-refused'],
    ...MESSAGE,
  },
  'POST /v1/plans': {
    id: 'planDocuments',
    summary: 'What documents would do, everything but the doing',
    problems: [...RESOURCE, 'not-found', 'config-mismatch'],
    body: 'PlanRequest',
    example: examples.PLAN,
  },
  'POST /v1/convert': {
    id: 'convertDocuments',
    summary: 'Documents of other control planes as plugins',
    body: 'ConvertRequest',
    example: examples.ISTIO_PLUGIN,
  },

  'GET /v1/rollouts': { id: 'listRollouts', summary: 'Rollouts, newest first' },
  'GET /v1/rollouts/:id': { id: 'getRollout', summary: 'A rollout with its steps, nodes and gates' },
  'GET /v1/rollouts/:id/bundle': { id: 'getRolloutBundle', summary: 'All about a rollout, for a report' },
  'POST /v1/rollouts/:id/pause': {
    id: 'pauseRollout',
    summary: 'Stop where it stands',
    problems: VERB,
    ...MESSAGE,
  },
  'POST /v1/rollouts/:id/resume': {
    id: 'resumeRollout',
    summary: 'Go on after a pause',
    problems: [...VERB, 'frozen'],
    ...MESSAGE,
  },
  'POST /v1/rollouts/:id/promote': {
    id: 'promoteRollout',
    summary: 'End this pause or soak, or skip all that is left',
    problems: [...VERB, 'frozen'],
    example: { full: true, ...examples.MESSAGE },
  },
  'POST /v1/rollouts/:id/abort': {
    id: 'abortRollout',
    summary: 'Roll back and end; or stop and leave the nodes as they are',
    problems: VERB,
    example: { freeze: true, ...examples.MESSAGE },
  },
  'POST /v1/rollouts/:id/retry': {
    id: 'retryRollout',
    summary: 'Try again what is held back, from the first step',
    problems: [...VERB, 'frozen', 'signature-refused'],
    ...MESSAGE,
  },

  'GET /v1/resources': { id: 'listResources', summary: 'Raw Envoy resources of all types' },
  'GET /v1/resources/:type': { id: 'listResourcesOfType', summary: 'Raw Envoy resources of a type' },
  'GET /v1/resources/:type/:namespace/:name': { id: 'getResource', summary: 'A raw Envoy resource' },
  'PUT /v1/resources/:type/:namespace/:name': {
    id: 'applyResource',
    summary: 'Create or replace a raw Envoy resource; nodes get it at once',
    problems: RESOURCE,
    body: 'EnvoyResourceDocument',
    example: examples.RESOURCE,
  },
  'DELETE /v1/resources/:type/:namespace/:name': {
    id: 'deleteResource',
    summary: 'Take a raw Envoy resource off its nodes, at once',
    problems: ['frozen', 'conflict'],
  },

  'GET /v1/pullsecrets': { id: 'listPullSecrets', summary: 'Credentials of registries, without the secrets' },
  'GET /v1/pullsecrets/:namespace/:name': { id: 'getPullSecret', summary: 'Whom credentials serve' },
  'PUT /v1/pullsecrets/:namespace/:name': {
    id: 'applyPullSecret',
    summary: 'Store credentials of registries',
    problems: APPLIED,
    body: 'PullSecretDocument',
    example: examples.PULL_SECRET,
  },
  'DELETE /v1/pullsecrets/:namespace/:name': {
    id: 'deletePullSecret',
    summary: 'Forget credentials',
    problems: ['frozen', 'conflict'],
  },

  'GET /v1/nodegroups': { id: 'listNodeGroups', summary: 'Nodes under names' },
  'GET /v1/nodegroups/:namespace/:name': { id: 'getNodeGroup', summary: 'A node group, and who uses it' },
  'PUT /v1/nodegroups/:namespace/:name': {
    id: 'applyNodeGroup',
    summary: 'Create or change a node group; plugins that name it go to its nodes by rollouts',
    problems: APPLIED,
    body: 'NodeGroupDocument',
    example: examples.NODE_GROUP,
  },
  'DELETE /v1/nodegroups/:namespace/:name': {
    id: 'deleteNodeGroup',
    summary: 'Forget a node group that no plugin names',
    problems: ['group-in-use', 'frozen', 'conflict'],
  },

  'GET /v1/nodes': { id: 'listNodes', summary: 'Envoys that are known' },
  'GET /v1/nodes/:id': { id: 'getNode', summary: 'An Envoy: its plugins, chains and resources' },
  'PATCH /v1/nodes/:id': {
    id: 'configureNode',
    summary: 'Say of a node what stands over what it says of itself',
    problems: ['node-setting-wrong', 'admin-address-refused', 'node-log-refused', 'frozen'],
    example: { namespace: 'edge', labels: { tier: 'gold', old: null } },
  },
  'DELETE /v1/nodes/:id': {
    id: 'forgetNode',
    summary: 'Forget an Envoy that is gone',
    problems: ['node-connected'],
  },
  'GET /v1/nodes/:id/config': { id: 'getNodeConfig', summary: 'The resources of a node as they were sent' },
  'GET /v1/nodes/:id/bundle': { id: 'getNodeBundle', summary: 'All about a node, for a report' },
  'PUT /v1/nodes/:id/exclusion': {
    id: 'excludeNode',
    summary: 'Take a node out of all rollouts',
    ...MESSAGE,
  },
  'DELETE /v1/nodes/:id/exclusion': {
    id: 'includeNode',
    summary: 'Let a node take part again',
    problems: ['frozen'],
  },
  'GET /v1/nodes/:id/log-level': {
    id: 'getNodeLogLevel',
    summary: 'How much the plugins of a node log',
    problems: ADMIN,
  },
  'PUT /v1/nodes/:id/log-level': {
    id: 'setNodeLogLevel',
    summary: 'Say how much the plugins of a node log',
    problems: ADMIN,
    example: { level: 'debug' },
  },
  'GET /v1/nodes/:id/logs': {
    id: 'getNodeLogs',
    summary: 'The last lines that plugins wrote into the log of a node',
    problems: ['node-log-unset', 'node-log-refused', 'node-log-unreadable'],
  },
  'POST /v1/nodes/:id/token': {
    id: 'makeNodeToken',
    summary: 'A token with which a node proves who it is',
    problems: ['node-token-unused', 'node-setting-wrong'],
  },
  'PUT /v1/nodes/:id/revocation': {
    id: 'revokeNode',
    summary: 'Let the tokens and certificates of a node count no more',
    problems: ['node-setting-wrong'],
    ...MESSAGE,
  },

  'GET /v1/modules': { id: 'listModules', summary: 'Modules that revisions name' },
  'GET /v1/modules/:digest': { id: 'getModule', summary: 'A module' },
  'GET /v1/modules/:digest/report': {
    id: 'getModuleReport',
    summary: 'What is in a module, and what came of trying it',
  },
  'GET /v1/catalogue': { id: 'searchCatalogue', summary: 'What is in the built-in registry' },

  'GET /v1/events': {
    id: 'listEvents',
    summary: 'What happened, as a list or, with Accept: text/event-stream, as it happens',
    events: {
      event: 'Event',
      rollout: 'RolloutUpdated',
      bookmark: 'EventBookmark',
      reset: 'EventReset',
      end: 'EventEnd',
    },
  },
  'GET /v1/audit': { id: 'listAudit', summary: 'Who changed what, and what was decided' },
  'GET /v1/audit/verification': {
    id: 'verifyAudit',
    summary: 'Whether the chain of the audit holds',
  },

  'GET /v1/freeze': { id: 'getFreeze', summary: 'Whether all changes are stopped' },
  'PUT /v1/freeze': { id: 'freeze', summary: 'Stop all changes', ...MESSAGE },
  'DELETE /v1/freeze': { id: 'unfreeze', summary: 'Let changes through again' },

  'GET /v1/tokens': { id: 'listTokens', summary: 'Who may call this API' },
  'POST /v1/tokens': {
    id: 'createToken',
    summary: 'Make a token; it is shown this once',
    problems: ['token-wrong', 'token-exists'],
    example: { name: 'ci', role: 'deployer', plugins: 'edge/' },
  },
  'GET /v1/tokens/:name': { id: 'getToken', summary: 'A token, without what it is' },
  'DELETE /v1/tokens/:name': { id: 'revokeToken', summary: 'Let a token count no more' },

  'GET /v1/webhooks': { id: 'listWebhooks', summary: 'Who is told what rollouts come to' },
  'GET /v1/webhooks/:name': { id: 'getWebhook', summary: 'A webhook, and whether it is reached' },
  'PUT /v1/webhooks/:name': {
    id: 'applyWebhook',
    summary: 'Tell somebody what rollouts come to, or change whom',
    problems: ['webhook-wrong'],
    example: { url: 'https://hooks.example/attache', events: ['rolled-back', 'paused'] },
  },
  'DELETE /v1/webhooks/:name': { id: 'deleteWebhook', summary: 'Tell them no more' },
  'POST /v1/webhooks/:name/test': { id: 'testWebhook', summary: 'Send a message to try a webhook' },
};
