import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { AttacheProcess } from '../harness/attache-process.ts';
import { stopAfter } from '../harness/cleanup.ts';

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
process.on('exit', () => writeSync(2, '\\nLOADED\\n' + [...loaded, ...process.moduleLoadList].join('\\n')));
`;

const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(WITNESS)}`;

/** What was loaded, by what the witness wrote: files from `src/` or `node_modules/` on. */
function toFiles(stderr: string): readonly string[] {
  return stderr
    .slice(stderr.indexOf('\nLOADED\n'))
    .split('\n')
    .flatMap(url => /\/((?:src|node_modules)\/.*)$/.exec(url)?.[1] ?? []);
}

/** The files that a command line has Node load, from `src/` or `node_modules/` on. */
async function loadedBy(...args: readonly string[]): Promise<readonly string[]> {
  const run = promisify(execFile)(process.execPath, ['--no-warnings', main, ...args], {
    env: { NODE_OPTIONS },
  });
  // Where no server answers is what `get` says; it has loaded what it needs by then.
  const { stderr } = await run.catch((error: { readonly stderr: string }) => error);
  return toFiles(stderr);
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

test('a server that was asked whether it is ready has loaded nothing that only some requests need', async t => {
  const attache = stopAfter(t, await AttacheProcess.start({ env: { NODE_OPTIONS } }));
  await attache.end();
  const log = await attache.log();
  const loaded = toFiles(log);
  assert.ok(loaded.includes('src/control-plane.ts'), log);
  const late =
    /node_modules\/(ajv|typebox|yaml|@fastify\/swagger|@opentelemetry|@grpc\/proto-loader|grpc-health-check)\//;
  assert.deepEqual(
    loaded.filter(file => late.test(file)),
    [],
  );
  // fetch and WebSocket, which an `import` of node:http would bring.
  assert.ok(log.includes('NativeModule http'), log);
  assert.ok(!log.includes('NativeModule internal/deps/undici/undici'), log);
});
