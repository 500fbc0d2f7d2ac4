import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const attache = fileURLToPath(new URL('../../bin/attache', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'attache-launcher-'));
after(() => rmSync(folder, { recursive: true }));

/** A PATH whose `node` says it is of some version, what it was started with and where it keeps compiled code. */
function pathWithNode(version: string): string {
  const directory = join(folder, `node-${version}`);
  mkdirSync(directory);
  const script = `#!/bin/sh\nif [ "$1" = --version ]; then echo ${version}; else echo "system node" "$@"; echo "keeps $NODE_COMPILE_CACHE" >&2; fi\n`;
  writeFileSync(join(directory, 'node'), script);
  chmodSync(join(directory, 'node'), 0o755);
  return `${directory}:/usr/bin:/bin`;
}

test("the system's node is used where it is 24 or later", async () => {
  const { stdout } = await run(attache, ['version', '--x', 'a b'], {
    env: { PATH: pathWithNode('v24.0.0') },
  });
  assert.match(stdout, /^system node .*src\/main\.ts version --x a b\n$/);
});

test("an older one is passed over for the package's own", async () => {
  const { stdout } = await run(attache, ['version'], { env: { PATH: pathWithNode('v20.19.1') } });
  assert.match(stdout, /^attache \d+\.\d+\.\d+\n$/);
});

test("what was compiled is kept in the user's own cache, or where the user says, or nowhere", async () => {
  const PATH = pathWithNode('v24.0.1');
  const kept = async (env: Record<string, string>) =>
    (await run(attache, ['version'], { env: { PATH, ...env } })).stderr;
  assert.equal(await kept({ HOME: '/home/x' }), 'keeps /home/x/.cache/attache/node\n');
  assert.equal(await kept({ HOME: '/home/x', XDG_CACHE_HOME: '/c' }), 'keeps /c/attache/node\n');
  assert.equal(await kept({ HOME: '/home/x', NODE_COMPILE_CACHE: '/mine' }), 'keeps /mine\n');
  assert.equal(await kept({ HOME: '/home/x', NODE_COMPILE_CACHE: '' }), 'keeps \n');
  assert.equal(await kept({}), 'keeps \n');
});

test('links to it are followed, also relative ones', async () => {
  symlinkSync(attache, join(folder, 'absolute'));
  symlinkSync('absolute', join(folder, 'relative'));
  const { stdout } = await run(join(folder, 'relative'), ['version'], { cwd: '/' });
  assert.match(stdout, /^attache \d/);
});

test('without any it says what it needs', async () => {
  const copy = join(folder, 'package', 'bin');
  mkdirSync(copy, { recursive: true });
  const { copyFileSync } = await import('node:fs');
  copyFileSync(attache, join(copy, 'attache'));
  const env = { PATH: pathWithNode('v18.0.0') };
  await assert.rejects(
    run(join(copy, 'attache'), ['version'], { env }),
    (error: Error & { code: number; stderr: string }) => {
      assert.equal(error.code, 1);
      assert.match(error.stderr, /needs Node\.js 24 or later; found v18\.0\.0/);
      return true;
    },
  );
});
