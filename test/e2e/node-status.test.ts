/** What the command line says of a node, against a real Envoy: an accepted plugin, a refused one, a refused listener. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { buildPlugin } from '../../plugins/build.ts';
import { serveMain, startAttacheScene } from '../harness/attache-scene.ts';
import { rawListener } from '../harness/raw-resources.ts';
import { runAttache } from '../harness/run-attache.ts';
import { until } from '../harness/wait.ts';
import { XDS_FORM } from '../harness/xds-form.ts';

/** A port of loopback that somebody else has. */
async function takePort(t: TestContext): Promise<number> {
  const server = createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  t.after(() => new Promise(resolve => server.close(resolve)));
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : assert.fail();
}

test('describe, config dump, diff, log level, logs and bundle tell of a real Envoy', async t => {
  const scene = await startAttacheScene(t, { attache: { flags: ['--node-log-directory', '.'] } });
  const { attache, envoy, node } = scene;
  const port = await serveMain(scene);
  const run = (...args: string[]) => runAttache(args, { env: { ATTACHE_SERVER: attache.addresses.api } });
  const untilDiff = (code: number, text: RegExp) =>
    until(
      async () => {
        const ran = await run('diff', 'node', node);
        assert.equal(ran.code, code, ran.out + ran.err);
        assert.match(ran.out, text);
        return ran.out;
      },
      { what: `diff node to exit ${code} with ${text}` },
    );

  const url = await attache.offer(await buildPlugin('add-header'));
  const pluginConfig = { header: 'x-hello', value: 'hush-hush' };
  await attache.applyPlugin('hello', { url, phase: 'AUTHN', pluginConfig });
  await attache.waitAccepted(node, 'hello', 1);

  await t.test('nothing differs', async () => {
    await untilDiff(0, /no differences/);
  });

  await t.test('what was sent is what Envoy has, and its URLs let nobody in', async () => {
    const dumped = await run('config', 'dump', node, '-o', 'json');
    assert.equal(dumped.code, 0, dumped.err);
    const { resources } = JSON.parse(dumped.out) as {
      resources: { name: string; version: string; resource: object }[];
    };
    const place = resources.find(({ name }) => name === 'attache.authn/main');
    const text = JSON.stringify(place?.resource ?? assert.fail(dumped.out));
    assert.match(text, /"@type":"type\.googleapis\.com\/envoy\.config\.core\.v3\.TypedExtensionConfig"/);
    assert.match(text, /cap=0{64}/);
    assert.match(text, /default\/hello/);
    // Envoy keeps a cluster of its bootstrap, and takes no version for it: that of the modules is one here. In the state
    // of the world a version is of all resources of a type.
    const own = JSON.stringify(await envoy.configDump());
    for (const { name, version } of resources)
      if (name !== 'attache_modules')
        assert.ok(own.includes(XDS_FORM === 'delta' ? version : `"${name}"`), `${name} ${version}`);
    const listeners = await run('config', 'dump', node, '--type', 'listeners');
    assert.match(listeners.out, /name: main\n/);
    assert.doesNotMatch(listeners.out, /config\.cluster\.v3/);
  });

  await t.test('a refused plugin is a difference, with what Envoy said', async () => {
    const refusing = await attache.offer(await buildPlugin('faulty/refuses-config'));
    await attache.applyPlugin('bad', { url: refusing, phase: 'AUTHN' });
    await untilDiff(3, /! plugin default\/bad: .*refused revision 1: ".*default\/bad"/);
    const described = await run('describe', 'node', node);
    assert.match(described.out, /hello +1 +1 +(Accepted|Loaded)/);
    await attache.deletePlugin('bad');
  });

  await t.test('a listener that Envoy refuses is a difference, with its text', async () => {
    const address = { socket_address: { address: '127.0.0.1', port_value: await takePort(t) } };
    await attache.applyResource('listeners', 'taken', rawListener('taken', [], { address }));
    const out = await untilDiff(3, /! listener taken: refused ".*(bind|in use).*"; it has none/);
    assert.doesNotMatch(out, /listener main/);
    const described = await run('describe', 'node', node);
    assert.match(described.out, /listeners +main +Accepted/);
    assert.match(described.out, /listeners +taken +Refused .*(bind|in use)/);
    await attache.must('DELETE', '/v1/resources/listeners/default/taken');
    await untilDiff(0, /no differences/);
  });

  await t.test('how much plugins log is read and set over its admin interface', async () => {
    const without = await run('node', 'log-level', node);
    assert.equal(without.code, 1);
    assert.match(without.err, /attache node set edge-1 --admin/);
    const refused = await run('node', 'set', node, '--admin', `http://10.1.2.3:${envoy.adminPort}`);
    assert.match(refused.err, /--allow-node-admin 10\.1\.2\.3/);
    const set = await run('node', 'set', node, '--admin', `http://127.0.0.1:${envoy.adminPort}`);
    assert.equal(set.code, 0, set.err);
    assert.match((await run('node', 'log-level', node)).out, /log at debug/);
    assert.match((await run('node', 'log-level', node, 'info')).out, /log at info/);
    assert.match(await envoy.admin('/logging', 'POST'), /wasm: info/);
  });

  await t.test('its log cannot be had from the Envoy; from a file of the server it can', async () => {
    const without = await run('logs', node);
    assert.equal(without.code, 1);
    assert.match(without.err, /gives its log to nobody over the network[\s\S]*--node-log-directory/);
    await fetch(`http://127.0.0.1:${port}/`);
    await writeFile(join(attache.folder, 'edge.log'), await readFile(join(envoy.folder, 'console.log')));
    assert.equal((await run('node', 'set', node, '--log-file', '../edge.log')).code, 1);
    assert.equal((await run('node', 'set', node, '--log-file', 'edge.log')).code, 0);
    const logs = await run('logs', node, '--lines', '500');
    assert.equal(logs.code, 0, logs.err);
    assert.match(logs.out, /\[wasm\]/);
  });

  await t.test('a bundle has all of it and no configuration of a plugin', async () => {
    const { code, out } = await run('bundle', 'node', node);
    assert.equal(code, 0);
    const bundle = JSON.parse(out);
    assert.equal(bundle.node.status.envoyVersion, '1.40.0');
    assert.ok(bundle.config.resources.length > 3);
    assert.ok(bundle.events.some((event: { type: string }) => event.type === 'node.connected'));
    assert.doesNotMatch(out, /hush-hush/);
    assert.ok(bundle.leftOut.length > 3);
  });

  await t.test('a label that the server side sets selects at once', async () => {
    await attache.applyPlugin('gold', { url, phase: 'AUTHZ', selector: { matchLabels: { tier: 'gold' } } });
    const set = await run('node', 'set', node, '--label', 'tier=gold', '-m', 'customer');
    assert.match(set.out, /label tier=gold/);
    await attache.waitAccepted(node, 'gold', 1);
    assert.match(
      (await run('describe', 'node', node)).out,
      /it says of itself: .*the server takes it for .*tier=gold/,
    );
    await run('node', 'set', node, '--label', 'tier-');
    await until(async () => (await attache.pluginOn(node, 'gold'))?.revision === null, {
      what: 'gold to leave',
    });
  });

  await t.test(
    'of an Envoy that is gone nothing is known; it can be forgotten then, not before',
    async () => {
      const connected = await run('delete', 'node', node);
      assert.equal(connected.code, 7);
      assert.match(connected.err, /attache node exclude edge-1/);
      await envoy.kill9();
      const out = await untilDiff(3, /not connected: nothing is known of what it has now/);
      assert.match(out, /listener main: is to have/);
      assert.match((await run('config', 'dump', node)).err, /note: edge-1 is not connected/);
      assert.equal((await run('delete', 'node', node)).code, 0);
      assert.equal((await run('diff', 'node', node)).code, 1);
    },
  );
});
