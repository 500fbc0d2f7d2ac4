import type { Role, Subject } from '../../model/access.ts';

/** Which subject a route is about; of `rollout` the plugin that it moves. */
export type About = Exclude<Subject['kind'], 'repository'> | 'rollout';

/** What a route asks of who calls it; `open`: nothing, and it tells next to nothing. */
export type Access = 'open' | { readonly role: Role; readonly about: About };

const OPEN: Access = 'open';
const viewer = (about: About): Access => ({ role: 'viewer', about });
const deployer = (about: About): Access => ({ role: 'deployer', about });
const approver = (about: About): Access => ({ role: 'approver', about });
const admin = (about: About): Access => ({ role: 'admin', about });

/**
 * Who may call which route, by method and path; HEAD is GET. What does not stand here cannot be registered: see
 * addGuard. docs/access.md has it for people.
 */
export const ROUTE_ACCESS: Readonly<Record<string, Access>> = {
  'GET /healthz': OPEN,
  'GET /readyz': OPEN,
  'GET /': viewer('server'),
  'GET /version': viewer('server'),
  'GET /openapi.json': viewer('server'),
  'GET /v1/whoami': viewer('server'),
  'GET /v1/server': viewer('fleet'),
  'GET /v1/limits': viewer('fleet'),
  'GET /metrics': viewer('fleet'),
  // It holds every secret.
  'GET /v1/backup': admin('fleet'),

  'GET /v1/plugins': viewer('listed'),
  'GET /v1/plugins/:namespace/:name': viewer('plugin'),
  'GET /v1/plugins/:namespace/:name/revisions': viewer('plugin'),
  'GET /v1/plugins/:namespace/:name/revisions/:number': viewer('plugin'),
  'GET /v1/plugins/:namespace/:name/diff': viewer('plugin'),
  'GET /v1/plugins/:namespace/:name/rollouts': viewer('plugin'),
  'PUT /v1/plugins/:namespace/:name': deployer('plugin'),
  'PATCH /v1/plugins/:namespace/:name': deployer('plugin'),
  'DELETE /v1/plugins/:namespace/:name': deployer('plugin'),
  'POST /v1/plugins/:namespace/:name/undo': deployer('plugin'),
  // Modules are fetched for it.
  'POST /v1/plans': deployer('listed'),
  // It turns what was sent into something else, and tells nothing of what is here.
  'POST /v1/convert': viewer('server'),

  'GET /v1/rollouts': viewer('listed'),
  'GET /v1/rollouts/:id': viewer('rollout'),
  'GET /v1/rollouts/:id/bundle': viewer('rollout'),
  'POST /v1/rollouts/:id/pause': deployer('rollout'),
  // Past a step that waits for a person it takes what promote takes: see askRollout.
  'POST /v1/rollouts/:id/resume': deployer('rollout'),
  'POST /v1/rollouts/:id/abort': deployer('rollout'),
  'POST /v1/rollouts/:id/retry': deployer('rollout'),
  'POST /v1/rollouts/:id/promote': approver('rollout'),

  'GET /v1/resources': viewer('listed'),
  'GET /v1/resources/:type': viewer('listed'),
  'GET /v1/resources/:type/:namespace/:name': viewer('resource'),
  'PUT /v1/resources/:type/:namespace/:name': deployer('resource'),
  'DELETE /v1/resources/:type/:namespace/:name': deployer('resource'),

  'GET /v1/pullsecrets': viewer('listed'),
  'GET /v1/pullsecrets/:namespace/:name': viewer('pullsecret'),
  'PUT /v1/pullsecrets/:namespace/:name': deployer('pullsecret'),
  'DELETE /v1/pullsecrets/:namespace/:name': deployer('pullsecret'),

  // Whom a group holds decides where plugins of others go.
  'GET /v1/nodegroups': viewer('fleet'),
  'GET /v1/nodegroups/:namespace/:name': viewer('fleet'),
  'PUT /v1/nodegroups/:namespace/:name': deployer('fleet'),
  'DELETE /v1/nodegroups/:namespace/:name': deployer('fleet'),

  'GET /v1/nodes': viewer('listed'),
  'GET /v1/nodes/:id': viewer('node'),
  'GET /v1/nodes/:id/config': viewer('whole-node'),
  'GET /v1/nodes/:id/bundle': viewer('whole-node'),
  'GET /v1/nodes/:id/logs': viewer('whole-node'),
  'GET /v1/nodes/:id/log-level': viewer('whole-node'),
  'PUT /v1/nodes/:id/log-level': admin('whole-node'),
  'PUT /v1/nodes/:id/exclusion': deployer('whole-node'),
  'DELETE /v1/nodes/:id/exclusion': deployer('whole-node'),
  // What selects a node decides what scopes hold it.
  'PATCH /v1/nodes/:id': admin('fleet'),
  'DELETE /v1/nodes/:id': admin('fleet'),
  'POST /v1/nodes/:id/token': admin('fleet'),
  'PUT /v1/nodes/:id/revocation': admin('fleet'),

  'GET /v1/modules': viewer('listed'),
  'GET /v1/modules/:digest': viewer('listed'),
  'GET /v1/modules/:digest/report': viewer('listed'),
  'GET /v1/catalogue': viewer('server'),
  'GET /v1/events': viewer('listed'),
  // It tells of everything, and who asks only to look may be whose work that is.
  'GET /v1/audit': viewer('fleet'),
  'GET /v1/audit/verification': viewer('fleet'),

  'GET /v1/freeze': viewer('server'),
  'PUT /v1/freeze': admin('fleet'),
  'DELETE /v1/freeze': admin('fleet'),

  'GET /v1/tokens': admin('fleet'),
  'POST /v1/tokens': admin('fleet'),
  'GET /v1/tokens/:name': admin('fleet'),
  'DELETE /v1/tokens/:name': admin('fleet'),

  'GET /v1/webhooks': viewer('fleet'),
  'GET /v1/webhooks/:name': viewer('fleet'),
  // Our server speaks to wherever they lead.
  'PUT /v1/webhooks/:name': admin('fleet'),
  'DELETE /v1/webhooks/:name': admin('fleet'),
  'POST /v1/webhooks/:name/test': admin('fleet'),
};
