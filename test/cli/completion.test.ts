import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VERBS } from '../../src/cli/verbs.ts';
import { readCommandTree } from './command-tree.ts';
import { run, withServer } from './run-main.ts';
import { nodeView, pluginView } from './views.ts';

/** The words that are offered after these, the last of which is being typed. */
async function offer(
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<readonly string[]> {
  const { code, out, err } = await run(['completion', 'candidates', '--', ...words], { env });
  assert.deepEqual([code, err], [0, '']);
  return out.split('\n').flatMap(line => (line === '' ? [] : [line.split('\t')[0] ?? '']));
}

test('verbs, sub-verbs and flags are offered as the commands have them', async () => {
  assert.deepEqual(
    await offer(['']),
    VERBS.map(({ name }) => name),
  );
  assert.deepEqual(await offer(['unf']), ['unfreeze']);
  const tree = await readCommandTree();
  for (const { path, command } of tree) {
    const words = path.split(' ');
    const flags = command.options.map(({ long }) => long);
    assert.deepEqual(await offer([...words, '--']), [...flags, '--help'], path);
    const parts = command.commands.map(one => one.name()).filter(name => name !== 'help');
    if (parts.length > 0) assert.deepEqual(await offer([...words, '']), parts, path);
  }
});

test('kinds, words of flags, and files where a file can stand', async () => {
  assert.deepEqual(await offer(['get', 'no']), ['nodes', 'nodegroups']);
  assert.deepEqual(await offer(['get', '-n', 'edge', 'plug']), ['plugins']);
  assert.deepEqual(await offer(['describe', 'ro']), ['rollout', 'route']);
  assert.ok(!(await offer(['delete', ''])).includes('rollout'), 'a rollout cannot be deleted');
  assert.deepEqual(await offer(['get', 'nodes', '-o', '']), ['table', 'wide', 'json', 'yaml', 'name']);
  assert.deepEqual(await offer(['get', 'nodes', '--sort-by', 'st']), ['state']);
  assert.deepEqual(await offer(['apply', '-f', '']), [':files']);
  assert.deepEqual(await offer(['check', 'x']), [':files']);
});

test('names come from the server; one that does not answer gives none, and says nothing', async () => {
  const answers = {
    'GET /v1/nodes': { kind: 'NodeList', items: [nodeView()] },
    'GET /v1/plugins': { kind: 'PluginList', items: [pluginView()] },
  };
  await withServer(answers, async server => {
    const env = { ATTACHE_SERVER: server };
    assert.deepEqual(await offer(['describe', 'node', ''], env), ['demo-1']);
    assert.deepEqual(await offer(['describe', 'node', 'x'], env), []);
    assert.deepEqual(await offer(['rollout', 'undo', 'a'], env), ['auth']);
    assert.deepEqual(await offer(['get', 'plugins', ''], env), ['auth']);
    assert.deepEqual(await offer(['node', 'exclude', ''], env), ['demo-1']);
    assert.deepEqual(await offer(['events', '--plugin', ''], env), ['auth']);
    assert.deepEqual(await offer(['describe', '--server', server, 'node', '']), ['demo-1']);
  });
  const env = { ATTACHE_SERVER: 'http://127.0.0.1:9' };
  assert.deepEqual(await offer(['describe', 'node', ''], env), []);
});
