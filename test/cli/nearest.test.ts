import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearestPlugin, withNearestNode, withNearestPlugin } from '../../src/cli/nearest.ts';
import { type RestClient, RestError } from '../../src/cli/rest-client.ts';
import { nodeView, pluginView } from './views.ts';

const missing = async () => {
  throw new RestError({
    status: 404,
    code: 'not-found',
    detail: 'there is no plugin default/auht',
    errors: [],
  });
};

function client(items: readonly object[]): RestClient {
  return { get: async () => ({ items }) } as unknown as RestClient;
}

test('the same name in another namespace is nearer than another name', () => {
  const known = ['default/auth', 'edge/limit', 'edge/auth'];
  assert.equal(nearestPlugin('default/limit', known), 'edge/limit');
  assert.equal(nearestPlugin('default/auht', known), 'auth');
  assert.equal(nearestPlugin('edge/limti', known), 'edge/limit');
  assert.equal(nearestPlugin('default/something-else', known), undefined);
  assert.equal(nearestPlugin('default/auth', known), undefined);
});

test('an unknown plugin or node names the nearest, with the code it had', async () => {
  const expected = { code: 'not-found', message: 'there is no plugin default/auht' };
  const plugins = client([pluginView()]);
  await assert.rejects(withNearestPlugin(plugins, 'default/auht', missing), {
    ...expected,
    hint: 'Did you mean auth?',
  });
  await assert.rejects(withNearestNode(client([nodeView()]), 'demo-2', missing), {
    ...expected,
    hint: 'Did you mean demo-1?',
  });
  await assert.rejects(withNearestPlugin(client([]), 'default/auht', missing), { status: 404 });
});

test('another error is not touched, and an answer is the answer', async () => {
  const frozen = new RestError({ status: 423, code: 'frozen', detail: 'frozen', errors: [] });
  await assert.rejects(
    withNearestPlugin(client([]), 'default/x', async () => {
      throw frozen;
    }),
    frozen,
  );
  assert.equal(await withNearestPlugin(client([]), 'default/x', async () => 7), 7);
});
