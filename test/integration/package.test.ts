/** The published package: packed, installed into an empty folder with what production needs alone, and used there. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { EXIT } from '../../src/cli/exit-code.ts';
import { endChild, spawnChild } from '../harness/child-process.ts';
import { until } from '../harness/wait.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'attache-package-'));
after(() => rmSync(folder, { recursive: true }));

const installed = join(folder, 'node_modules', 'attache');
const program = join(folder, 'node_modules', '.bin', 'attache');
/** The Node that runs the tests, and nothing of this repository. */
const env = {
  PATH: [dirname(process.execPath), '/usr/bin', '/bin'].join(delimiter),
  HOME: folder,
  ATTACHE_SERVER: '',
};
const npm = (cwd: string, ...args: readonly string[]) =>
  run('npm', [...args, '--no-audit', '--no-fund', '--loglevel', 'error'], {
    cwd,
    env: { ...process.env, PATH: [dirname(process.execPath), process.env.PATH].join(delimiter) },
  });
const attache = async (...args: readonly string[]) => (await run(program, args, { cwd: folder, env })).stdout;

before(async () => {
  const { stdout } = await npm(root, 'pack', '--json', '--pack-destination', folder);
  const [{ filename }] = JSON.parse(stdout.slice(stdout.indexOf('['))) as [{ filename: string }];
  writeFileSync(join(folder, 'package.json'), '{"private": true}');
  await npm(folder, 'install', '--omit=dev', '--ignore-scripts', '--prefer-offline', join(folder, filename));
});

test('holds JavaScript, what commands read beside it, and nothing that is only for development', () => {
  assert.deepEqual(
    globSync('{src,test,bench,node_modules,plugins/build.ts,plugins/faulty}', { cwd: installed }),
    [],
  );
  assert.deepEqual(globSync('dist/**/*.ts', { cwd: installed }), []);
  for (const path of ['LICENSE', 'README.md', 'docs/errors.md', 'proto', 'plugins/sdk', 'plugins/template'])
    assert.ok(existsSync(join(installed, path)), path);
  for (const name of ['typescript', 'assemblyscript', 'fast-check', 'node'])
    assert.ok(!existsSync(join(folder, 'node_modules', name)), name);
});

test('no dependency needs an install script', () => {
  const manifests = globSync('node_modules/**/package.json', { cwd: folder }).map(path => ({
    path,
    ...(JSON.parse(readFileSync(join(folder, path), 'utf8')) as {
      name?: string;
      scripts?: Record<string, string>;
    }),
  }));
  assert.ok(manifests.length > 50);
  const withScripts = new Set(
    manifests
      .filter(({ scripts = {} }) => scripts.preinstall ?? scripts.install ?? scripts.postinstall)
      .map(({ name }) => name),
  );
  // Its script says that versions of it belong together, and does nothing else: it was not run here.
  assert.deepEqual([...withScripts], ['protobufjs']);
});

test('says its version, and what it needs on an older Node', async () => {
  assert.match(await attache('--version'), /^attache \d+\.\d+\.\d+\n$/);
  const old = join(folder, 'old');
  await run('mkdir', [old]);
  writeFileSync(join(old, 'node'), '#!/bin/sh\necho v20.19.1\n', { mode: 0o755 });
  await assert.rejects(
    run(program, ['--version'], { env: { PATH: `${old}:/usr/bin:/bin` } }),
    (error: Error & { code: number; stderr: string }) => {
      assert.equal(error.code, 1);
      assert.equal(
        error.stderr,
        'error: attache needs Node.js 24 or later; found v20.19.1.\nInstall it from https://nodejs.org.\n',
      );
      return true;
    },
  );
});

test('serves, takes a module and a plugin, and says what it has', async () => {
  const listen = ['xds', 'modules', 'api'].flatMap(name => [`--${name}-listen`, '127.0.0.1:0']);
  const server = spawnChild(program, ['serve', '--data', join(folder, 'data'), ...listen], {
    stdio: 'ignore',
    cwd: folder,
    env,
  });
  try {
    const { api } = JSON.parse(
      await until(async () => readFileSync(join(folder, 'data', 'addresses.json'), 'utf8'), {
        what: 'attache to say where it listens',
        deadlineMs: 60_000,
      }),
    ) as { api: string };
    const at = ['--server', api];
    const module = join(installed, 'dist', 'plugins', 'add-header.wasm');
    assert.match(await attache('push', module, 'add-header:v1', ...at), /^pushed /m);
    const listener = await attache('example', 'listener', '--port', '10000', '--upstream', '127.0.0.1:8080');
    writeFileSync(join(folder, 'listener.yaml'), listener);
    assert.match(await attache('apply', '-f', 'listener.yaml', ...at), /created/);
    writeFileSync(
      join(folder, 'plugin.yaml'),
      `apiVersion: extensions.istio.io/v1alpha1
kind: WasmPlugin
metadata: {name: hello}
spec: {url: "oci://${new URL(api).host}/add-header:v1", pluginConfig: {value: world}}
`,
    );
    assert.match(await attache('apply', '-f', 'plugin.yaml', ...at), /module .*sha256 [0-9a-f]{12}/);
    assert.match(await attache('get', 'plugins', ...at), /^default +hello +1 /m);
    // Of the server as one file the command still knows what was thrown.
    await assert.rejects(
      attache('serve', '--data', join(folder, 'data'), ...listen),
      (error: Error & { code: number; stderr: string }) => {
        assert.equal(error.code, EXIT.conflict);
        assert.match(error.stderr, /^error: .*\n.*--data/);
        return true;
      },
    );
  } finally {
    await endChild(server, 20_000);
  }
});

test('begins a plugin, and says how to get what building it takes', async () => {
  assert.match(await attache('new', 'my-plugin'), /^made my-plugin: /);
  await assert.rejects(attache('build', 'my-plugin'), (error: Error & { stderr: string }) => {
    assert.match(
      error.stderr,
      /AssemblyScript compiler is not installed\. Run in \S+my-plugin: npm install\n$/,
    );
    return true;
  });
});
