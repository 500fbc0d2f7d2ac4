import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { AttacheProcess } from '../harness/attache-process.ts';
import { stopAfter } from '../harness/cleanup.ts';
import { runAttache } from '../harness/run-attache.ts';

const folder = mkdtempSync(join(tmpdir(), 'attache-cli-serve-'));
after(() => rmSync(folder, { recursive: true }));

const anyPort = ['xds', 'modules', 'api'].flatMap(name => [`--${name}-listen`, '127.0.0.1:0']);

test('serve says where it listens, holds its data directory, and stops gracefully', async t => {
  const attache = stopAfter(t, await AttacheProcess.start());
  const data = join(attache.folder, 'data');
  const { xds, modules, api } = JSON.parse(readFileSync(join(data, 'addresses.json'), 'utf8'));
  const log = await attache.log();
  assert.match(log, /^attache \d+\.\d+\.\d+ {3}data .*data \(new\)$/m);
  assert.ok(log.includes(`  xDS      ${xds}   plain text, loopback only\n`));
  assert.ok(log.includes(`  modules  ${modules}   plain text, loopback only\n`));
  assert.ok(log.includes(`  API      ${api}   no token needed: loopback only\n`));
  assert.match(log, /^ready in \d+\.\d s$/m);

  const second = await runAttache(['serve', '--data', data, ...anyPort]);
  assert.equal(second.code, 7);
  assert.match(second.err, /^error: .*\nStop the other Attaché, or .*--data/);
  assert.ok(existsSync(join(data, 'addresses.json')), 'the second one left the first one alone');

  assert.deepEqual(await attache.end(), { code: 0, signal: null });
  assert.ok(!existsSync(join(data, 'addresses.json')));
  await attache.startAgain();
  assert.doesNotMatch((await attache.log()).split('ready in').at(-2) ?? '', /\(new\)/);
});

test('every fault of the settings is told before anything starts', async () => {
  const args = ['serve', '--data', join(folder, 'unused'), '--xds-listen', '0.0.0.0:0', '--api-listen', 'x'];
  const { code, err } = await runAttache(args, { cwd: folder });
  assert.equal(code, 2);
  assert.match(err, /--api-listen x: expected HOST:PORT/);
  assert.match(err, /To allow it: --allow-plaintext xds/);
  assert.match(err, /--advertise HOST/);
  assert.ok(!existsSync(join(folder, 'unused')));
});

test('a port that is taken is named, and nothing stays behind', async t => {
  const taken = createServer();
  t.after(() => taken.close());
  await new Promise<void>(resolve => taken.listen(0, '127.0.0.1', resolve));
  const address = `127.0.0.1:${(taken.address() as AddressInfo).port}`;
  const data = join(folder, 'taken');
  for (const name of ['xds', 'modules', 'api']) {
    const { code, err } = await runAttache([
      'serve',
      '--data',
      data,
      ...anyPort,
      `--${name}-listen`,
      address,
    ]);
    assert.equal(code, 1, name);
    assert.ok(err.includes(address), err);
    assert.ok(err.includes(`--${name}-listen`), err);
  }
});

test('bootstraps name the ports that the server really has', async t => {
  const attache = stopAfter(t, await AttacheProcess.start());
  const { out, err } = await runAttache(['bootstrap', '--id', 'edge-1', '--server', attache.addresses.api]);
  for (const address of [attache.addresses.xds, attache.addresses.modules])
    assert.ok(out.includes(`port_value: ${address.split(':').at(-1)}`), address);
  assert.equal(err, '');
});
