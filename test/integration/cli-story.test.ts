import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { buildPlugin } from '../../plugins/build.ts';
import { AttacheProcess } from '../harness/attache-process.ts';
import { stopAfter } from '../harness/cleanup.ts';
import { startEnvoy } from '../harness/envoy-process.ts';
import { freePort } from '../harness/free-port.ts';
import { type Ran, runAttache } from '../harness/run-attache.ts';
import { startUpstream } from '../harness/upstream.ts';

const folder = mkdtempSync(join(tmpdir(), 'attache-cli-story-'));
after(() => rmSync(folder, { recursive: true }));

/** The user's own envoy.yaml with a listener and an application of this machine. */
function writeUsers(port: number, upstreamPort: number): string {
  const path = join(folder, 'envoy.yaml');
  const users = fileURLToPath(new URL('../cli/bootstrap/users-envoy.txt', import.meta.url));
  const text = readFileSync(users, 'utf8').replace('port_value: 10000', `port_value: ${port}`);
  writeFileSync(
    path,
    text.replace('port_value: 3000', `port_value: ${upstreamPort}`).replace(/ {4}- name: other\n.*\n/, ''),
  );
  return path;
}

function writePlugin(name: string, url: string, rest: string): string {
  const path = join(folder, `${name}.yaml`);
  const head = `apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nmetadata: {name: auth}\n`;
  // One node needs no steps, and a bake of a minute would make a long test.
  const rollout = '  rollout: {preset: all-at-once, bake: 1s}\n';
  writeFileSync(path, `${head}spec:\n  url: ${url}\n  phase: AUTHN\n${rest}${rollout}`);
  return path;
}

test("the newcomer's half hour on the command line: bootstrap, push, apply, mistakes, a way back", async t => {
  const attache = stopAfter(t, await AttacheProcess.start());
  const server = attache.addresses.api;
  const printed: string[] = [];
  const run = async (...args: string[]): Promise<Ran> => {
    const ran = await runAttache(args, { env: { ATTACHE_SERVER: server }, cwd: folder });
    printed.push(`$ ${args.join(' ')}\n${ran.out}${ran.err}`);
    return ran;
  };
  const upstream = stopAfter(t, await startUpstream());
  const port = await freePort();
  const managed = await run('bootstrap', '--from', writeUsers(port, upstream.port), '--id', 'laptop');
  assert.equal(managed.code, 0);
  const envoy = stopAfter(t, await startEnvoy({ bootstrap: managed.out }));
  await envoy.waitReady();
  const hello = async () => (await fetch(`http://127.0.0.1:${port}/`)).headers.get('x-hello');
  assert.equal(await hello(), null);
  assert.match((await run('get', 'nodes')).out, /\nlaptop +– +– +1\.40\.0 +Connected +0\/0 /);

  const wasm = join(folder, 'auth.wasm');
  writeFileSync(wasm, (await buildPlugin('add-header')).bytes);
  const pushed = await run('push', wasm, 'auth:1.4');
  const url = /url: (oci:\S+)/.exec(pushed.out)?.[1] ?? assert.fail(pushed.err);

  const first = await run(
    'apply',
    '-f',
    writePlugin('auth', url, '  pluginConfig: {value: one}\n'),
    '-m',
    'hello',
    '--wait',
  );
  assert.equal(first.code, 0, first.err);
  assert.match(
    first.out,
    /^plugin default\/auth created, revision 1\n {2}module {3}oci:.* → sha256 [0-9a-f]{12}, /,
  );
  assert.match(first.out, /checked {2}ABI 0\.2\.1, 3 imports known to Envoy 1\.40, configure ran: ok\n/);
  assert.match(first.out, /targets {2}1 node \(namespace default, no selector\)\n/);
  assert.match(first.out, /rollout {2}default\.auth\.1, preset all-at-once: 1 node, then 1 s bake\n/);
  assert.match(first.out, /Succeeded in .*: 1 of 1 node runs revision 1\n$/);
  assert.equal(await hello(), 'one');
  const again = await run('apply', '-f', join(folder, 'auth.yaml'));
  assert.match(again.out, /^plugin default\/auth unchanged, revision 1\n/);

  const typo = await run('apply', '-f', writePlugin('typo', url, '  pluginConf: {}\n'));
  assert.equal(typo.code, 1);
  assert.match(
    typo.err,
    /^error: .*typo\.yaml:7:3: spec\.pluginConf: unknown field\. Did you mean pluginConfig\?\nnothing was changed {3}\(code unknown-field/,
  );

  const missing = await run('apply', '-f', writePlugin('missing', url.replace('1.4', '9.9'), ''));
  assert.equal(missing.code, 1);
  assert.match(missing.out, /cannot start: .*\n[\s\S]*no node was touched; revision 1 stays/);
  assert.equal(await hello(), 'one');

  // The module brings a schema: what does not fit is not even stored.
  const mistyped = await run('apply', '-f', writePlugin('mistyped', url, '  pluginConfig: {value: 5}\n'));
  assert.equal(mistyped.code, 1, mistyped.out + mistyped.err);
  assert.match(
    mistyped.err,
    /^error: .*mistyped\.yaml:7:18: spec\.pluginConfig\.value: expected a string, got number\nnothing was changed {3}\(code config-mismatch/,
  );
  assert.equal(await hello(), 'one');

  // Of what only the plugin itself knows it says so when it is tried.
  const knowing = join(folder, 'knowing.wasm');
  writeFileSync(knowing, (await buildPlugin('faulty/refuses-config-by-value')).bytes);
  const known = await run('push', knowing, 'auth:1.4.1');
  const knowingUrl = /url: (oci:\S+)/.exec(known.out)?.[1] ?? assert.fail(known.err);
  const unwanted = await run(
    'apply',
    '-f',
    writePlugin('unwanted', knowingUrl, '  pluginConfig: {refuse: true}\n'),
  );
  assert.equal(unwanted.code, 1, unwanted.out + unwanted.err);
  assert.match(unwanted.out, /the plugin refuses this configuration: "refuse: is true"/);
  assert.equal(await hello(), 'one');

  // What only a node can tell, its Envoy tells.
  const picky = join(folder, 'picky.wasm');
  writeFileSync(picky, (await buildPlugin('faulty/refuses-config')).bytes);
  const offered = await run('push', picky, 'auth:1.5');
  const pickyUrl = /url: (oci:\S+)/.exec(offered.out)?.[1] ?? assert.fail(offered.err);
  const refused = await run('apply', '-f', writePlugin('refused', pickyUrl, ''), '--wait');
  assert.equal(refused.code, 4, refused.out + refused.err);
  assert.match(
    refused.out,
    /why: laptop refused revision \d at .*: "Unable to create Wasm plugin default\/auth"\n[\s\S]*RolledBack in /,
  );
  assert.equal(await hello(), 'one');
  const held = await run('apply', '-f', join(folder, 'refused.yaml'));
  assert.equal(held.code, 4);
  assert.match(held.out, /is held back/);

  const described = await run('describe', 'plugin', 'auth');
  assert.match(described.out, /wasm log default\/auth/);
  assert.match(
    described.out,
    /\nlaptop +1 +1 +(Accepted|Loaded) .*revision \d refused at .*: "Unable to create/,
  );
  assert.match((await run('describe', 'node', 'laptop')).out, /^laptop {3}Connected since .* Envoy 1\.40\.0/);
  for (const kind of ['plugins', 'resources', 'modules'])
    assert.equal((await run('get', kind, '-o', 'wide')).code, 0);

  const edge = writePlugin('edge', url, '').replace('edge.yaml', 'edge.yaml');
  const other = await run('apply', '-n', 'edge', '-f', edge);
  assert.equal(other.code, 0);
  assert.match(other.err, /warning: edge\/auth matches no node/);

  const deleted = await run('delete', 'plugin', 'auth');
  assert.match(
    deleted.out,
    /^plugin default\/auth: removing from 1 node.*\nwatch: attache rollout status auth\n$/,
  );
  assert.equal((await run('rollout', 'status', 'auth')).code, 0);
  assert.equal(await hello(), null);
  assert.equal((await run('describe', 'plugin', 'auth')).code, 1);

  const inside = /\b(slots?|attempts?|verdicts?|process|processes|nonces?|cohorts?)\b/i;
  for (const text of printed) assert.doesNotMatch(text, inside);
});

test('several documents: all are validated before any is stored', async t => {
  const attache = stopAfter(t, await AttacheProcess.start());
  const env = { ATTACHE_SERVER: attache.addresses.api };
  const example = await runAttache([
    'example',
    'listener',
    '--port',
    '10000',
    '--upstream',
    '127.0.0.1:3000',
  ]);
  const good = join(folder, 'listener.yaml');
  const bad = join(folder, 'bad.yaml');
  writeFileSync(good, example.out);
  writeFileSync(bad, example.out.replace('stat_prefix', 'stat_prefixx'));
  const refused = await runAttache(['apply', '-f', good, bad], { env });
  assert.equal(refused.code, 1);
  assert.match(refused.err, /bad\.yaml:\d+:\d+: /);
  assert.doesNotMatch((await runAttache(['get', 'resources'], { env })).out, /ingress/);
  const applied = await runAttache(['apply', '-f', good], { env });
  assert.equal(applied.code, 0, applied.err);
  const names = await runAttache(['get', 'resources', '-o', 'name'], { env });
  assert.deepEqual(names.out.trim().split('\n').sort(), [
    'cluster/default/ingress_upstream',
    'listener/default/ingress',
    'route/default/ingress_routes',
  ]);
});
