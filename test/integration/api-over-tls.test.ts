/** The whole API port over TLS: the CLI, the built-in registry, and the server itself fetching from it. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readConfig } from '../../src/config.ts';
import { startControlPlane } from '../../src/control-plane.ts';
import { silentLog } from '../../src/model/ports.ts';
import { stopAfter } from '../harness/cleanup.ts';
import { buildStamp } from '../harness/fixture-modules.ts';
import { freePort } from '../harness/free-port.ts';
import { makePki } from '../harness/pki.ts';
import { runAttache } from '../harness/run-attache.ts';

test('a module is pushed, fetched and checked over TLS, by who trusts the CA', async t => {
  const pki = makePki(t);
  const host = `127.0.0.1:${await freePort()}`;
  const file = join(pki.folder, 'attache.yaml');
  writeFileSync(file, `registries:\n  - prefix: ${host}\n    ca: ${pki.ca}\n`);
  const { cert, key } = pki.server;
  const config = readConfig(
    {
      config: file,
      data: join(pki.folder, 'data'),
      ...{ 'xds-listen': '127.0.0.1:0', 'modules-listen': '127.0.0.1:0', 'api-listen': host },
      ...{ 'tls-cert': cert, 'tls-key': key },
    },
    {},
  );
  const { addresses } = stopAfter(t, await startControlPlane(config, silentLog));
  assert.equal(addresses.api, `https://${host}`);
  const env = { ATTACHE_SERVER: addresses.api, ATTACHE_CA_FILE: pki.ca };
  const module = join(pki.folder, 'stamp.wasm');
  writeFileSync(module, (await buildStamp('tls')).bytes);
  const pushed = await runAttache(['push', module, 'stamp:1'], { env });
  assert.equal(pushed.code, 0, pushed.err);
  const plugin = join(pki.folder, 'plugin.yaml');
  writeFileSync(
    plugin,
    `apiVersion: attache/v1\nkind: Plugin\nmetadata: { name: stamp }\nspec: { url: "oci://${host}/stamp:1", phase: AUTHN }\n`,
  );
  const applied = await runAttache(['apply', '-f', plugin], { env });
  assert.equal(applied.code, 0, applied.out + applied.err);
  assert.match(applied.out, /revision 1/);
  const stranger = await runAttache(['get', 'plugins'], { env: { ATTACHE_SERVER: addresses.api } });
  assert.deepEqual([stranger.code, /--ca-file/.test(stranger.err)], [1, true]);
});
