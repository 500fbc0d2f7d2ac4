/** `attache doctor` on a real Envoy, a real control plane, and what goes wrong between them. */
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { AttacheProcess } from '../harness/attache-process.ts';
import { serveMain, startAttacheScene } from '../harness/attache-scene.ts';
import { stopAfter } from '../harness/cleanup.ts';
import { E2E_VERSIONS, envoyBinary } from '../harness/envoy-binary.ts';
import { startEnvoy } from '../harness/envoy-process.ts';
import { freePort } from '../harness/free-port.ts';
import { runAttache } from '../harness/run-attache.ts';
import { startUpstream } from '../harness/upstream.ts';
import { until } from '../harness/wait.ts';

interface Said {
  readonly code: number;
  /** `problem no-ads` … of every report; ok ones are left out. */
  readonly wrong: readonly string[];
  readonly all: readonly string[];
}

async function ask(...args: readonly string[]): Promise<Said> {
  const { code, out } = await runAttache(['doctor', '-o', 'json', ...args]);
  const { reports } = JSON.parse(out) as {
    reports: { findings: { level: string; code: string; text: string }[] }[];
  };
  const findings = reports.flatMap(report => report.findings);
  const all = findings.map(one => `${one.level} ${one.code}`);
  // What Node.js this machine has is no matter of the test.
  return { code, all, wrong: all.filter(one => !one.startsWith('ok') && one !== 'warning old-runtime') };
}

for (const version of E2E_VERSIONS)
  test(`Envoy ${version} and the server: well, then cut off from each other, then well again`, async t => {
    const scene = await startAttacheScene(t, { version });
    await serveMain(scene);
    const admin = ['--admin', `127.0.0.1:${scene.envoy.adminPort}`];
    const { api } = scene.attache.addresses;
    assert.deepEqual((await ask(...admin)).wrong, []);
    const server = await ask('--server', api);
    assert.deepEqual([server.code, server.wrong], [0, []]);
    assert.ok(server.all.includes('ok nodes') && server.all.includes('ok ports'));

    await scene.attache.end();
    const cut = await until(
      async () => {
        const said = await ask(...admin);
        return said.code === 1 && said;
      },
      { what: 'the doctor to see that the Envoy is alone' },
    );
    assert.deepEqual(cut.wrong, ['problem not-connected']);
    assert.deepEqual((await ask('--server', api)).wrong, ['problem server-unreachable']);
    await scene.attache.startAgain();
    await until(async () => (await ask(...admin)).code === 0, { what: 'the connection' });
  });

test("a stranger's Envoy: it knows no Attaché; nobody at the admin port; something else there", async t => {
  const envoy = stopAfter(t, await startEnvoy({ bootstrap: { node: { id: 'stranger', cluster: 'x' } } }));
  await envoy.waitReady();
  const said = await ask('--admin', `127.0.0.1:${envoy.adminPort}`);
  assert.deepEqual([said.code, said.wrong], [1, ['problem no-ads']]);
  assert.deepEqual((await ask('--admin', `127.0.0.1:${await freePort()}`)).wrong, [
    'problem envoy-unreachable',
  ]);
  const upstream = stopAfter(t, await startUpstream());
  assert.deepEqual((await ask('--admin', `127.0.0.1:${upstream.port}`)).wrong, ['problem not-envoy']);
});

async function startData(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'attache-doctor-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const attache = stopAfter(t, await AttacheProcess.start());
  return { folder, attache, data: join(attache.folder, 'data') };
}

test('a data directory and the server on it: a key that others may read, and an Envoy that went', async t => {
  const { attache, data, folder } = await startData(t);
  assert.deepEqual((await ask('--data', data)).wrong, ['warning no-nodes']);
  chmodSync(data, 0o755);
  chmodSync(join(data, 'secret-key'), 0o644);
  const open = await ask('--data', data);
  assert.deepEqual([open.code, open.wrong], [1, ['problem data-open', 'warning no-nodes']]);
  assert.deepEqual((await ask('--data', folder)).wrong, ['problem not-data']);
  assert.deepEqual((await ask('--data', join(folder, 'no'))).wrong, ['problem no-data']);

  const bootstrap = await attache.bootstrap(['--id', 'edge-1']);
  const envoy = stopAfter(t, await startEnvoy({ bootstrap }));
  await envoy.waitReady();
  await envoy.stop();
  const isGone = async () =>
    (await ask('--server', attache.addresses.api)).wrong.includes('warning nodes-away');
  await until(isGone, { what: 'the server to notice' });
  await attache.must('PUT', '/v1/freeze', { message: 'on call' });
  assert.ok((await ask('--server', attache.addresses.api)).wrong.includes('warning frozen'));
});

test('a bootstrap: as it was printed, with a wrong address, and one that no Envoy takes', async t => {
  const { folder, attache } = await startData(t);
  const env = { ATTACHE_ENVOY: await envoyBinary('1.40.0') };
  const check = async (text: string) => {
    const file = join(folder, 'envoy.yaml');
    writeFileSync(file, text);
    const { code, out } = await runAttache(['doctor', '--bootstrap', file], { env });
    return { code, lines: out.trim().split('\n').slice(1, -1) };
  };
  const printed = await attache.bootstrap(['--id', 'edge-1']);
  const good = await check(printed);
  assert.equal(good.code, 0);
  assert.ok(
    good.lines.every(line => line.startsWith('  ok ')),
    good.lines.join('\n'),
  );
  const port = attache.addresses.xds.split(':').at(-1) ?? '';
  const lost = await check(printed.replace(`port_value: ${port}`, `port_value: ${await freePort()}`));
  assert.equal(lost.code, 0);
  assert.match(lost.lines.join('\n'), /warning {2}attache_xds at 127\.0\.0\.1:\d+ does not answer from here/);
  const odd = await check(`${printed}surprise: 1\n`);
  assert.equal(odd.code, 1);
  assert.match(odd.lines.join('\n'), /problem {2}.*does not take it: .*surprise/);
});
