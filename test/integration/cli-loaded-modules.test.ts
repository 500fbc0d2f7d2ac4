import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** Writes what was loaded to stderr, one URL a line, when the program ends. */
const WITNESS = `
import { registerHooks } from 'node:module';
import { writeSync } from 'node:fs';
const loaded = [];
registerHooks({
  load(url, context, next) {
    loaded.push(url);
    return next(url, context);
  },
});
process.on('exit', () => writeSync(2, '\\nLOADED\\n' + loaded.join('\\n')));
`;

/** The files that a command line has Node load, from `src/` or `node_modules/` on. */
async function loadedBy(...args: readonly string[]): Promise<readonly string[]> {
  const witness = `data:text/javascript,${encodeURIComponent(WITNESS)}`;
  const run = promisify(execFile)(process.execPath, ['--no-warnings', '--import', witness, main, ...args], {
    env: {},
  });
  // Where no server answers is what `get` says; it has loaded what it needs by then.
  const { stderr } = await run.catch((error: { readonly stderr: string }) => error);
  return stderr
    .slice(stderr.indexOf('\nLOADED\n'))
    .split('\n')
    .flatMap(url => /\/((?:src|node_modules)\/.*)$/.exec(url)?.[1] ?? []);
}

test('what prints a line or two loads commander and a handful of files, and no verb', async () => {
  for (const args of [['--help'], ['--version']]) {
    const loaded = await loadedBy(...args);
    assert.ok(loaded.includes('src/cli/verbs.ts'), loaded.join('\n'));
    assert.deepEqual(
      loaded.filter(
        file => file.startsWith('src/cli/commands/') || /^node_modules\/(?!commander\/)/.test(file),
      ),
      [],
    );
    assert.ok(loaded.length <= 25, `${loaded.length} files`);
  }
});

test('a list in a table needs commander alone of the libraries, and no stage of the server', async () => {
  const loaded = await loadedBy('get', 'plugins', '--server', 'http://127.0.0.1:1');
  assert.ok(loaded.includes('src/cli/commands/get.ts'), loaded.join('\n'));
  assert.deepEqual(
    loaded.filter(
      file => !/^(src\/(main|system|cli\/.*|model\/.*)\.ts$|node_modules\/commander\/)/.test(file),
    ),
    [],
  );
});
