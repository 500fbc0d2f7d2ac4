import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { buildPlugin } from '../../plugins/build.ts';
import { buildProxyWasm, buildWasm } from '../fixtures/wasm-builder.ts';
import { isAccepted } from '../harness/attache-process.ts';
import { serveMain, startAttacheScene } from '../harness/attache-scene.ts';
import { buildBig } from '../harness/fixture-modules.ts';
import { runAttache } from '../harness/run-attache.ts';
import { until } from '../harness/wait.ts';

/** A registry that wants a password that nobody has. */
async function startLockedRegistry(t: TestContext): Promise<string> {
  const server = createServer((_request, response) =>
    response.writeHead(401, { 'www-authenticate': 'Basic realm="locked"' }).end(),
  );
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  t.after(() => new Promise(resolve => server.close(resolve)));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('bad input is a clear error that names the next step, and what runs goes on', async t => {
  const locked = await startLockedRegistry(t);
  const nobody = '127.0.0.1:9';
  const flags = ['--insecure-registry', locked, '--insecure-registry', nobody];
  const scene = await startAttacheScene(t, { attache: { flags } });
  const { attache, node } = scene;
  const port = await serveMain(scene);
  const serves = async () => (await fetch(`http://127.0.0.1:${port}/`)).headers.get('x-hello');
  const write = async (name: string, bytes: Uint8Array | string): Promise<string> => {
    const path = join(attache.folder, 'modules', name);
    await writeFile(path, bytes);
    return `file://${path}`;
  };
  const run = (...args: string[]) => runAttache(args, { env: { ATTACHE_SERVER: attache.addresses.api } });
  const apply = async (spec: string, metadata = '{name: auth}') => {
    const path = join(attache.folder, 'plugin.yaml');
    const head = 'apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\n';
    await writeFile(path, `${head}metadata: ${metadata}\nspec:\n  phase: AUTHN\n${spec}`);
    return run('apply', '-f', path);
  };

  const good = await buildPlugin('add-header');
  const file = await write('good.wasm', good.bytes);
  const pushed = await run('push', file.slice('file://'.length), 'auth:1');
  const url = /url: (oci:\S+)/.exec(pushed.out)?.[1] ?? assert.fail(pushed.err);
  assert.equal((await apply(`  url: ${url}\n  pluginConfig: {value: good}\n`)).code, 0);
  await attache.waitAccepted(node, 'auth', 1);
  await until(async () => (await serves()) === 'good', { what: 'the good plugin to serve' });

  const zeros = '0'.repeat(64);
  const refused: readonly [what: string, spec: string, text: RegExp][] = [
    ['unknown field', `  url: ${url}\n  pluginConf: {}\n`, /plugin\.yaml:7:3: .*unknown field/],
    ['wrong type', `  url: ${url}\n  priority: high\n`, /plugin\.yaml:7:3: spec\.priority: /],
    ['missing URL', '  pluginConfig: {}\n', /url/],
    ['401', `  url: oci://${locked}/auth:1\n`, /credential|password|log ?in/i],
    ['wrong digest', `  url: ${file}\n  sha256: "${zeros}"\n`, /000000/],
    ['not a Wasm file', `  url: ${await write('text.wasm', '<html></html>')}\n`, /WebAssembly|Wasm/i],
    ['no proxy ABI', `  url: ${await write('bare.wasm', buildWasm({ exports: [] }))}\n`, /proxy_abi_version/],
    [
      'an ABI Envoy lacks',
      `  url: ${await write('abi3.wasm', buildProxyWasm({}, '0_3_0'))}\n`,
      /0_3_0|0\.3\.0/,
    ],
    ['no such tag', `  url: ${url.replace(/1$/, '9.9')}\n`, /9\.9/],
    ['32 MiB', `  url: ${await write('big.wasm', (await buildBig(32 << 20)).bytes)}\n`, /32 MiB|MiB/],
  ];
  for (const [what, spec, text] of refused) {
    const { code, out, err } = await apply(spec);
    assert.equal(code, 1, `${what}: ${out}${err}`);
    assert.match(out + err, text, what);
    assert.equal(await serves(), 'good', what);
    assert.ok(isAccepted(await attache.pluginOn(node, 'auth')), what);
  }

  await t.test('an unreachable registry: it says so and goes on trying', async () => {
    const { code, out, err } = await apply(`  url: oci://${nobody}/auth:1\n`);
    assert.equal(code, 6, out + err);
    assert.match(out + err, /127\.0\.0\.1:9/);
    const shown = await run('describe', 'plugin', 'auth');
    assert.match(shown.out, /Validating|ModuleUnavailable/);
    assert.equal(await serves(), 'good');
  });

  await t.test('a selector that matches nothing: it says which label or namespace differs', async () => {
    const selector = `  url: ${url}\n  selector: {matchLabels: {app: gateway}}\n`;
    const { code, err } = await apply(selector, '{name: other}');
    assert.equal(code, 0);
    assert.match(err, /matches no node[\s\S]*app/);
  });

  await t.test('what Envoy refuses of raw resources keeps the old one', async () => {
    const answer = await attache.request('PUT', '/v1/resources/listeners/default/main', {
      apiVersion: 'attache/v1',
      kind: 'EnvoyResource',
      metadata: { name: 'main', namespace: 'default' },
      spec: { resource: { '@type': 'type.googleapis.com/envoy.config.listener.v3.Listener', nam: 'main' } },
    });
    assert.equal(answer.status, 422);
    assert.match(JSON.stringify(answer.body), /nam/);
    assert.equal(await serves(), 'good');
  });
});
