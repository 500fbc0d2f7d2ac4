import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { answer, folder, run, VALIDATION, withServer } from './run-main.ts';

const CODED = Buffer.from('ann:hunter2').toString('base64');
const SECRET = `apiVersion: attache/v1
kind: PullSecret
metadata: {name: regcred}
dockerConfig: {auths: {reg.example: {auth: ${CODED}}}}
`;
const view = {
  kind: 'PullSecret',
  apiVersion: 'attache/v1',
  metadata: {
    namespace: 'default',
    name: 'regcred',
    resourceVersion: '1',
    createdAt: '2026-01-01T00:00:00.000Z',
  },
  status: { registries: ['reg.example'], usedBy: ['default/auth'] },
};
const PATH = '/v1/pullsecrets/default/regcred';
const plan = { kind: 'Plan', differs: false, items: [] };

function writeSecret(name: string, text = SECRET): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

test('apply stores a secret and says for which hosts, and nothing else of it', async () => {
  const answers = { [VALIDATION]: plan, [`PUT ${PATH}?message=new`]: answer(view) };
  await withServer(answers, async (server, asked) => {
    const file = writeSecret('secret.yaml');
    const { code, out, err } = await run(['apply', '-f', file, '-m', 'new', '--server', server]);
    assert.deepEqual([code, err], [0, '']);
    assert.equal(out, 'pull secret default/regcred created, for reg.example\n');
    assert.deepEqual(asked, Object.keys(answers));
  });
});

test('--dry-run asks the server and stores nothing; diff says that it cannot tell', async () => {
  const answers = {
    'POST /v1/plans': plan,
    [`PUT ${PATH}?dryRun=true`]: { ...answer(view), dryRun: true },
  };
  await withServer(answers, async (server, asked) => {
    const file = writeSecret('dry.yaml');
    const dry = await run(['apply', '-f', file, '--dry-run', '--server', server]);
    assert.equal(dry.code, 0, dry.err);
    assert.match(dry.out, /created \(dry run\)/);
    assert.deepEqual(asked, Object.keys(answers));
    const diff = await run(['diff', '-f', file, '--server', server]);
    assert.equal(diff.code, 0, diff.err);
    assert.match(diff.err, /not compared/);
  });
});

test('a malformed secret is refused with its place in the file, before a server is asked', async () => {
  const file = writeSecret('broken.yaml', SECRET.replace(`auth: ${CODED}`, 'username: ann, password: 4711'));
  const { code, err } = await run(['apply', '-f', file, '--server', 'http://127.0.0.1:1']);
  assert.equal(code, 1);
  assert.match(err, /broken\.yaml:4:\d+: dockerConfig\.auths\.\S*password: expected a string/);
  assert.doesNotMatch(err, /4711/);
});

test('get and delete know pull secrets', async () => {
  const deleted = {
    kind: 'Deleted',
    deleted: { kind: 'PullSecret', namespace: 'default', name: 'regcred' },
    nodes: 0,
    rollout: null,
    text: 'pull secret default/regcred: deleted',
  };
  const answers = {
    'GET /v1/pullsecrets': { kind: 'PullSecretList', items: [view] },
    [`DELETE ${PATH}`]: deleted,
  };
  await withServer(answers, async server => {
    const listed = await run(['get', 'pullsecrets', '--server', server]);
    assert.match(
      listed.out,
      /^NAMESPACE +NAME +REGISTRIES +USED BY +AGE\ndefault +regcred +reg\.example +default\/auth/,
    );
    const named = await run(['get', 'pullsecret', '-o', 'name', '--server', server]);
    assert.equal(named.out, 'pullsecret/default/regcred\n');
    const gone = await run(['delete', 'pullsecret', 'regcred', '--server', server]);
    assert.deepEqual([gone.code, gone.out], [0, `${deleted.text}\n`]);
  });
});
