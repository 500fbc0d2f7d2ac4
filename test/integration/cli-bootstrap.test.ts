import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { parseAllDocuments, stringify } from 'yaml';
import { E2E_VERSIONS, envoyBinary } from '../harness/envoy-binary.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const attache = join(root, 'bin', 'attache');
const folder = mkdtempSync(join(tmpdir(), 'attache-cli-bootstrap-'));
after(() => rmSync(folder, { recursive: true }));

const users = join(folder, 'envoy.yaml');
writeFileSync(users, readFileSync(join(root, 'test', 'cli', 'bootstrap', 'users-envoy.txt')));
const addresses = ['--xds-address', '127.0.0.1:18000', '--modules-address', '127.0.0.1:18001'];

/** Envoy's own judgement of a bootstrap: it parses, and every type in it is known. */
async function validate(version: string, text: string): Promise<void> {
  const file = join(folder, `${version}.yaml`);
  writeFileSync(file, text);
  await run(await envoyBinary(version), ['--mode', 'validate', '-c', file, '--log-level', 'error']);
}

for (const version of E2E_VERSIONS) {
  test(`Envoy ${version} takes the bootstraps that attache prints`, async () => {
    const own = await run(attache, [
      'bootstrap',
      '--id',
      'edge-1',
      '--admin-port',
      '9901',
      '--lean-stats',
      ...addresses,
    ]);
    await validate(version, own.stdout);
    const from = ['bootstrap', '--from', users, '--id', 'laptop', '--envoy-version', version, ...addresses];
    const managed = await run(attache, from);
    await validate(version, managed.stdout);
    assert.match(managed.stderr, /added {3}4 plugin places in listener ingress/);
    const open = await run(attache, [...from, '--unanswered', 'allow']);
    await validate(version, open.stdout);
  });

  test(`Envoy ${version} takes the example listener, cluster and routes`, async () => {
    const args = ['example', 'listener', '--port', '10000', '--upstream', '127.0.0.1:3000'];
    const { stdout } = await run(attache, args);
    const [cluster, routes, listener] = parseAllDocuments(stdout).map(document => {
      const { '@type': type, ...rest } = document.toJS();
      assert.match(type, /^type\.googleapis\.com\/envoy\./);
      return rest;
    });
    // In a bootstrap the routes stand inside the listener: over ADS nobody validates them before they are sent.
    const manager = listener.filter_chains[0].filters[0].typed_config;
    delete manager.rds;
    manager.route_config = routes;
    const resources = { clusters: [cluster], listeners: [listener] };
    await validate(version, stringify({ static_resources: resources }));
  });
}

test('the user file of a managed one is its own, line by line', async () => {
  const { stdout } = await run(attache, ['bootstrap', '--from', users, '--id', 'laptop', ...addresses]);
  writeFileSync(join(folder, 'managed.yaml'), stdout);
  const diff = await run('diff', [users, join(folder, 'managed.yaml')]).catch(
    (error: { stdout: string }) => error,
  );
  assert.equal(diff.stdout.match(/^</gm), null);
});

test('before Envoy 1.39 the places are for one plugin each', async () => {
  const args = ['bootstrap', '--from', users, '--id', 'old', '--plugins', 'auth,limit', ...addresses];
  const { stdout } = await run(attache, args);
  assert.match(stdout, /name: default\/auth/);
  await validate('1.36.2', stdout);
});
