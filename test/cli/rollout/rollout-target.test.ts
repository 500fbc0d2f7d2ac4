import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type RestClient, RestError } from '../../../src/cli/rest-client.ts';
import {
  awaitRollout,
  createRolloutReader,
  expectRollout,
  isBeforeRollout,
  parseRolloutTarget,
  readRollout,
} from '../../../src/cli/rollout/rollout-target.ts';
import { bakingView, succeededView } from '../rollout-views.ts';
import { pluginView } from '../views.ts';

test('a rollout is named by its plugin or by its id', () => {
  const latest = { plugin: 'edge/auth', id: 'edge.auth.latest', byName: true };
  assert.deepEqual(parseRolloutTarget('edge/auth', undefined), latest);
  assert.deepEqual(parseRolloutTarget('auth', 'edge'), latest);
  assert.deepEqual(parseRolloutTarget('edge.auth.latest', undefined), latest);
  assert.equal(parseRolloutTarget('auth', undefined).id, 'default.auth.latest');
  assert.deepEqual(parseRolloutTarget('edge.auth.8', 'other'), {
    plugin: 'edge/auth',
    id: 'edge.auth.8',
    byName: false,
  });
  // A slash says that it is a name, whatever dots there are.
  assert.equal(parseRolloutTarget('edge/my.auth.8', undefined).plugin, 'edge/my.auth.8');
  for (const bad of ['', 'a/b/c', '/x'])
    assert.throws(() => parseRolloutTarget(bad, undefined), { code: 'bad-usage' });
});

/** A server with these rollouts by path, and what it was asked. */
function client(answers: () => Readonly<Record<string, unknown>>): { client: RestClient; asked: string[] } {
  const asked: string[] = [];
  const get = async (path: string) => {
    asked.push(path);
    return answers()[path];
  };
  return { client: { get } as unknown as RestClient, asked };
}

test('by name it stays with the rollout it began with, until a newer one takes over', async () => {
  let first = bakingView();
  const second = bakingView({ id: 'default.auth.2', number: 2 });
  let latest = first;
  const { client: rest } = client(() => ({
    '/v1/rollouts/default.auth.latest': latest,
    '/v1/rollouts/default.auth.1': first,
    '/v1/rollouts/default.auth.2': second,
  }));
  const read = createRolloutReader(rest, parseRolloutTarget('auth', undefined));
  assert.equal((await read()).number, 1);
  first = succeededView();
  latest = second;
  assert.equal((await read()).phase, 'Succeeded');
  first = bakingView({ phase: 'Superseded', active: false });
  assert.equal((await read()).number, 2);
  assert.equal((await read()).number, 2);
});

test('by id a rollout that was superseded has ended', async () => {
  const { client: rest, asked } = client(() => ({
    '/v1/rollouts/default.auth.1': bakingView({ phase: 'Superseded', active: false }),
  }));
  const read = createRolloutReader(rest, parseRolloutTarget('default.auth.1', undefined));
  assert.equal((await read()).phase, 'Superseded');
  assert.deepEqual(asked, ['/v1/rollouts/default.auth.1']);
});

test('what is not there is told apart: the plugin, any rollout of it, this one', async () => {
  const missing = (detail: string) => new RestError({ status: 404, code: 'not-found', detail, errors: [] });
  const known: Readonly<Record<string, unknown>> = {
    '/v1/plugins': { items: [pluginView()] },
    '/v1/plugins/default/auth': pluginView(),
  };
  const get = async (path: string) => known[path] ?? Promise.reject(missing(`no ${path}`));
  const read = (text: string) =>
    readRollout({ get } as unknown as RestClient, parseRolloutTarget(text, undefined));
  const [code, hint] = ['not-found', 'Did you mean auth?'];
  await assert.rejects(read('auht'), { code, message: 'no /v1/plugins/default/auht', hint });
  await assert.rejects(read('auth'), { code, message: 'default/auth has no rollout yet' });
  await assert.rejects(read('default.auth.7'), { code, message: 'no /v1/rollouts/default.auth.7' });
});

test('a document that is only being checked has no rollout of its own yet', () => {
  const rollout = { id: 'default.auth.1', phase: 'Succeeded', active: false, plan: '', by: 'admin' } as const;
  const active = { ...rollout, phase: 'Validating', active: true } as const;
  const before = (status: Parameters<typeof pluginView>[0]) => isBeforeRollout(pluginView(status));
  assert.equal(before({ phase: 'Validating', rollout }), true);
  assert.equal(before({ phase: 'Validating', rollout: null }), true);
  assert.equal(before({ phase: 'Progressing', rollout: null }), true);
  assert.equal(before({ phase: 'Validating', rollout: active }), false);
  assert.equal(before({ phase: 'Succeeded', rollout }), false);
});

test('what is only being checked is waited for, also while the server is away; else it is exit 6', async () => {
  const resolving = pluginView({ phase: 'Validating', message: 'fetches the module' });
  const rollout = {
    id: 'default.auth.1',
    phase: 'Progressing',
    active: true,
    plan: '',
    by: 'admin',
  } as const;
  const away = new RestError({ status: 503, code: 'not-ready', detail: '', errors: [] });
  const answers = [resolving, away, pluginView({ phase: 'Progressing', rollout })];
  let asked = 0;
  const get = async () => {
    const answer = answers[asked];
    asked += 1;
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const rest = { get } as unknown as RestClient;
  const target = parseRolloutTarget('auth', undefined);
  await assert.rejects(expectRollout(rest, target), {
    code: 'check-timeout',
    message: 'default/auth is still being checked: fetches the module; its rollout begins after that',
  });
  asked = 0;
  await awaitRollout(rest, target);
  assert.equal(asked, 3);
});
