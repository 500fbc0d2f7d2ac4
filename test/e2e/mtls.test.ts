/** A real Envoy that proves who it is, by a certificate and by a token, and fetches its modules so. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildPlugin } from '../../plugins/build.ts';
import { serveMain, startAttacheScene } from '../harness/attache-scene.ts';
import { makePki } from '../harness/pki.ts';
import { runAttache } from '../harness/run-attache.ts';
import { until } from '../harness/wait.ts';

const PLUGIN = { phase: 'AUTHN', pluginConfig: { header: 'x-hello', value: 'world' } } as const;

async function headerOf(port: number): Promise<string | null> {
  return (await fetch(`http://127.0.0.1:${port}/`)).headers.get('x-hello');
}

test('over mutual TLS an Envoy gets listeners and modules, sends its stats, and is cut when it is revoked', async t => {
  const pki = makePki(t);
  const own = pki.node('edge-1');
  const scene = await startAttacheScene(t, {
    attache: { flags: pki.serveFlags },
    bootstrapFlags: ['--tls-ca', pki.ca, '--tls-cert', own.cert, '--tls-key', own.key],
  });
  const { attache, node } = scene;
  const port = await serveMain(scene);
  const url = await attache.offer(await buildPlugin('add-header'));
  await attache.applyPlugin('hello', { url, ...PLUGIN });
  await attache.waitAccepted(node, 'hello', 1);
  assert.equal(await headerOf(port), 'world');
  await until(async () => (await attache.pluginOn(node, 'hello'))?.state === 'Loaded', {
    what: 'its stats to prove that the plugin is loaded',
  });

  const env = { ATTACHE_SERVER: attache.addresses.api };
  const ran = await runAttache(['node', 'revoke', node, '-m', 'stolen'], { env });
  assert.equal(ran.code, 0, ran.err);
  await until(
    async () => (await attache.request('GET', `/v1/nodes/${node}`)).body.status.state === 'Disconnected',
    { what: 'the Envoy to be cut', deadlineMs: 20_000 },
  );
  assert.equal(await headerOf(port), 'world', 'it goes on with what it has');
  assert.match(await attache.log(), /node-credential-revoked/);
});

test('with a node token in its bootstrap the oldest Envoy gets the same', async t => {
  const pki = makePki(t);
  const { cert, key } = pki.server;
  const flags = ['--tls-cert', cert, '--tls-key', key, '--allow-plaintext', 'api', '--node-auth', 'token'];
  const scene = await startAttacheScene(t, {
    version: '1.36.2',
    attache: { flags },
    bootstrapFlags: ['--tls-ca', pki.ca],
  });
  const port = await serveMain(scene);
  const url = await scene.attache.offer(await buildPlugin('add-header'));
  await scene.attache.applyPlugin('hello', { url, ...PLUGIN });
  await scene.attache.waitAccepted(scene.node, 'hello', 1);
  assert.equal(await headerOf(port), 'world');
});

test('a bootstrap of its own gets the cluster of modules over CDS, with the files of its static secrets', async t => {
  const pki = makePki(t);
  const own = pki.node('edge-1');
  const secrets = `
  secrets:
  - name: attache_ca
    validation_context: { trusted_ca: { filename: ${pki.ca} } }
  - name: attache_node
    tls_certificate: { certificate_chain: { filename: ${own.cert} }, private_key: { filename: ${own.key} } }
`;
  const scene = await startAttacheScene(t, {
    attache: { flags: pki.serveFlags },
    bootstrapFlags: ['--tls-ca', pki.ca, '--tls-cert', own.cert, '--tls-key', own.key],
    editBootstrap: text => {
      const without = text.replace(/^ {2,4}- name: attache_modules\n(?: {4,}.*\n)*/m, '');
      assert.notEqual(without, text);
      return without.replace(/^static_resources:\n/m, `static_resources:${secrets}`);
    },
  });
  const port = await serveMain(scene);
  const url = await scene.attache.offer(await buildPlugin('add-header'));
  await scene.attache.applyPlugin('hello', { url, ...PLUGIN });
  await scene.attache.waitAccepted(scene.node, 'hello', 1);
  assert.equal(await headerOf(port), 'world');
});
