/** Every route of the running API against every role and scope. docs/access.md has the same tables for people. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ROLES, type Role } from '../../src/model/access.ts';
import type { Scope } from '../../src/model/scope.ts';
import { SIDES, startAccessScene } from '../api/access-scene.ts';

/** The least role, and what the route is about. A route that is not here fails the test. */
const ROUTES: Readonly<Record<string, string>> = {
  'GET /healthz': 'open',
  'GET /readyz': 'open',
  'GET /': 'viewer server',
  'GET /version': 'viewer server',
  'GET /openapi.json': 'viewer server',
  'GET /metrics': 'viewer fleet',
  'GET /v1/whoami': 'viewer server',
  'GET /v1/server': 'viewer fleet',
  'GET /v1/limits': 'viewer fleet',
  'GET /v1/backup': 'admin fleet',
  'GET /v1/plugins': 'viewer listed',
  'GET /v1/plugins/:namespace/:name': 'viewer plugin',
  'GET /v1/plugins/:namespace/:name/revisions': 'viewer plugin',
  'GET /v1/plugins/:namespace/:name/revisions/:number': 'viewer plugin',
  'GET /v1/plugins/:namespace/:name/diff': 'viewer plugin',
  'GET /v1/plugins/:namespace/:name/rollouts': 'viewer plugin',
  'PUT /v1/plugins/:namespace/:name': 'deployer plugin',
  'PATCH /v1/plugins/:namespace/:name': 'deployer plugin',
  'DELETE /v1/plugins/:namespace/:name': 'deployer plugin',
  'POST /v1/plugins/:namespace/:name/undo': 'deployer plugin',
  'POST /v1/plans': 'deployer listed',
  'POST /v1/convert': 'viewer server',
  'GET /v1/rollouts': 'viewer listed',
  'GET /v1/rollouts/:id': 'viewer rollout',
  'GET /v1/rollouts/:id/bundle': 'viewer rollout',
  'POST /v1/rollouts/:id/pause': 'deployer rollout',
  'POST /v1/rollouts/:id/resume': 'deployer rollout',
  'POST /v1/rollouts/:id/abort': 'deployer rollout',
  'POST /v1/rollouts/:id/retry': 'deployer rollout',
  'POST /v1/rollouts/:id/promote': 'approver rollout',
  'GET /v1/resources': 'viewer listed',
  'GET /v1/resources/:type': 'viewer listed',
  'GET /v1/resources/:type/:namespace/:name': 'viewer resource',
  'PUT /v1/resources/:type/:namespace/:name': 'deployer resource',
  'DELETE /v1/resources/:type/:namespace/:name': 'deployer resource',
  'GET /v1/pullsecrets': 'viewer listed',
  'GET /v1/pullsecrets/:namespace/:name': 'viewer pullsecret',
  'PUT /v1/pullsecrets/:namespace/:name': 'deployer pullsecret',
  'DELETE /v1/pullsecrets/:namespace/:name': 'deployer pullsecret',
  'GET /v1/nodegroups': 'viewer fleet',
  'GET /v1/nodegroups/:namespace/:name': 'viewer fleet',
  'PUT /v1/nodegroups/:namespace/:name': 'deployer fleet',
  'DELETE /v1/nodegroups/:namespace/:name': 'deployer fleet',
  'GET /v1/nodes': 'viewer listed',
  'GET /v1/nodes/:id': 'viewer node',
  'GET /v1/nodes/:id/config': 'viewer whole-node',
  'GET /v1/nodes/:id/bundle': 'viewer whole-node',
  'GET /v1/nodes/:id/logs': 'viewer whole-node',
  'GET /v1/nodes/:id/log-level': 'viewer whole-node',
  'PUT /v1/nodes/:id/log-level': 'admin whole-node',
  'PUT /v1/nodes/:id/exclusion': 'deployer whole-node',
  'DELETE /v1/nodes/:id/exclusion': 'deployer whole-node',
  'PATCH /v1/nodes/:id': 'admin fleet',
  'DELETE /v1/nodes/:id': 'admin fleet',
  'POST /v1/nodes/:id/token': 'admin fleet',
  'PUT /v1/nodes/:id/revocation': 'admin fleet',
  'GET /v1/modules': 'viewer listed',
  'GET /v1/modules/:digest': 'viewer listed',
  'GET /v1/modules/:digest/report': 'viewer listed',
  'GET /v1/catalogue': 'viewer server',
  'GET /v1/events': 'viewer listed',
  'GET /v1/audit': 'viewer fleet',
  'GET /v1/audit/verification': 'viewer fleet',
  'GET /v1/freeze': 'viewer server',
  'PUT /v1/freeze': 'admin fleet',
  'DELETE /v1/freeze': 'admin fleet',
  'GET /v1/webhooks': 'viewer fleet',
  'GET /v1/webhooks/:name': 'viewer fleet',
  'PUT /v1/webhooks/:name': 'admin fleet',
  'DELETE /v1/webhooks/:name': 'admin fleet',
  'POST /v1/webhooks/:name/test': 'admin fleet',
  'GET /v1/tokens': 'admin fleet',
  'POST /v1/tokens': 'admin fleet',
  'GET /v1/tokens/:name': 'admin fleet',
  'DELETE /v1/tokens/:name': 'admin fleet',
};

const SCOPES: Readonly<Record<string, Scope>> = {
  all: {},
  namespace: { plugins: 'edge/' },
  plugin: { plugins: 'edge/auth' },
  nodes: { nodes: { tier: 'edge' } },
  both: { plugins: 'edge/', nodes: { tier: 'edge' } },
};

/** Which scopes hold what is of edge; `all` holds it always, and what is of core nobody else does. */
const HOLDS: Readonly<Record<string, readonly string[]>> = {
  server: ['namespace', 'plugin', 'nodes', 'both'],
  listed: ['namespace', 'plugin', 'nodes', 'both'],
  fleet: [],
  plugin: ['namespace', 'plugin', 'nodes', 'both'],
  rollout: ['namespace', 'plugin', 'nodes', 'both'],
  resource: ['nodes'],
  pullsecret: ['namespace'],
  node: ['namespace', 'plugin', 'nodes', 'both'],
  'whole-node': ['nodes'],
};
/** These are nowhere: there is one of them for all. */
const WITHOUT_PLACE = ['server', 'listed', 'fleet'];

type Side = (typeof SIDES)[number];

function toPath(pattern: string, about: string, side: Side): string {
  const name = { resource: 'ingress', pullsecret: 'registry' }[about] ?? 'auth';
  const id = about === 'rollout' ? `${side}.auth.1` : `${side}-1`;
  return pattern
    .replace(':namespace', side)
    .replace(':type', 'listeners')
    .replace(':name', name)
    .replace(':id', id)
    .replace(':number', '1')
    .replace(':digest', 'a'.repeat(64));
}

function expect(route: string, role: Role, scope: string, side: Side): 'passed' | 403 | 404 {
  const [least = '', about = ''] = (ROUTES[route] ?? '').split(' ');
  if (ROLES.indexOf(role) < ROLES.indexOf(least as Role)) return 403;
  if (scope === 'all' || ['server', 'listed'].includes(about)) return 'passed';
  if (HOLDS[about]?.includes(scope) && side === 'edge') return 'passed';
  const isSeen = WITHOUT_PLACE.includes(about) || (about === 'whole-node' && side === 'edge');
  return route.startsWith('GET ') && !isSeen ? 404 : 403;
}

test('every route is in the table of this test, and the table has no other', async t => {
  const { routes } = await startAccessScene(t);
  const served = routes.filter(route => !route.startsWith('HEAD '));
  assert.deepEqual(served.toSorted(), Object.keys(ROUTES).toSorted());
});

test('without a token that counts, no route says more than that it takes one', async t => {
  const { give, url } = await startAccessScene(t);
  const expired = await give('admin', {}, { expiresAt: 1 });
  const wrong = `${(await give('admin')).slice(0, -1)}x`;
  for (const route of Object.keys(ROUTES)) {
    const [method = '', pattern = ''] = route.split(' ');
    const path = toPath(pattern, ROUTES[route]?.split(' ')[1] ?? '', 'edge');
    for (const authorization of ['', `Bearer ${expired}`, `Bearer ${wrong}`, 'Basic YTpi', 'Bearer']) {
      const headers: Record<string, string> = authorization === '' ? {} : { authorization };
      const response = await fetch(url + path, { method, headers });
      const said = `${route} ${authorization}: ${await response.text()}`;
      assert.equal(response.status, ROUTES[route] === 'open' ? 200 : 401, said);
      if (ROUTES[route] === 'open') continue;
      assert.match(response.headers.get('www-authenticate') ?? '', /^Bearer realm="attache"/, said);
    }
  }
});

test('every route × role × scope: denied unless the role is enough and the scope holds it', async t => {
  const { give, callAs } = await startAccessScene(t);
  let tried = 0;
  for (const role of ROLES)
    for (const [scopeName, scope] of Object.entries(SCOPES)) {
      const token = await give(role, scope);
      const tries = Object.keys(ROUTES)
        .filter(route => ROUTES[route] !== 'open')
        .flatMap(route => SIDES.map(side => ({ route, side })));
      for (const { route, side } of tries) {
        const [method = '', pattern = ''] = route.split(' ');
        const path = toPath(pattern, ROUTES[route]?.split(' ')[1] ?? '', side);
        // A parameter that nobody reads is refused right behind the guard, so that nothing is done.
        const body = method === 'GET' || method === 'DELETE' ? undefined : {};
        const { status, body: answer } = await callAs(token, method, `${path}?probe=1`, body);
        const found = status === 400 && answer.code === 'bad-query' ? 'passed' : status;
        const said = `${route} of ${side} as ${role} with ${scopeName}: ${status} ${answer.detail}`;
        assert.equal(found, expect(route, role, scopeName, side), said);
        if (status === 403) assert.equal(answer.code, 'forbidden', said);
        if (status === 404) assert.equal(answer.code, 'not-found', said);
        tried += 1;
      }
    }
  assert.equal(tried, (Object.keys(ROUTES).length - 2) * 2 * ROLES.length * Object.keys(SCOPES).length);
});

test('no read with a scope of edge tells anything of core, whatever the route', async t => {
  const { give, callAs } = await startAccessScene(t);
  const { all: _all, ...scopes } = SCOPES;
  const CORE = /core-1|core\/auth|core\.auth|core\/ingress|"core"/;
  const everybody = await give('viewer');
  for (const path of ['plugins', 'nodes', 'rollouts', 'resources', 'pullsecrets', 'events'])
    assert.match(JSON.stringify((await callAs(everybody, 'GET', `/v1/${path}`)).body), CORE, path);
  let answered = 0;
  for (const [scopeName, scope] of Object.entries(scopes)) {
    const token = await give('viewer', scope);
    for (const route of Object.keys(ROUTES).filter(one => one.startsWith('GET '))) {
      const path = toPath(route.slice(4), ROUTES[route]?.split(' ')[1] ?? '', 'edge');
      const { status, body } = await callAs(token, 'GET', path);
      if (route === 'GET /openapi.json') continue;
      if (status === 200) answered += 1;
      const said = JSON.stringify(body);
      assert.doesNotMatch(said, CORE, `${route} with ${scopeName}`);
    }
  }
  assert.ok(answered > 60, String(answered));
});
