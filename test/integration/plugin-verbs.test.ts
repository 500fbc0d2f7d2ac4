import assert from 'node:assert/strict';
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { parse } from 'yaml';
import { buildPlugin } from '../../plugins/build.ts';
import { parsePluginDocument } from '../../src/model/plugin-document.ts';
import { checkConfig } from '../../src/module/config-schema/check-config.ts';
import { runAttache } from '../harness/run-attache.ts';

const folder = mkdtempSync(join(tmpdir(), 'attache-verbs-'));
after(() => rmSync(folder, { recursive: true }));
const run = (...args: string[]) => runAttache(args, { cwd: folder });
const write = (name: string, text: string) => {
  writeFileSync(join(folder, name), text);
  return name;
};

test('a new plugin passes its tests and builds as it is', async () => {
  const made = await run('new', 'my-plugin');
  assert.equal(made.code, 0, made.err);
  assert.match(made.out, /^made my-plugin: \.gitignore, README\.md, assembly\/index\.ts, .*and sdk\/\n/);
  assert.ok(existsSync(join(folder, 'my-plugin/sdk/README.md')));

  const tested = await run('test', 'my-plugin');
  assert.equal(tested.code, 0, tested.out + tested.err);
  assert.match(
    tested.out,
    /answers itself {2}→ {2}200, answered by the plugin\n {2}response \+ x-greeting: good day\nok: 2 requests\n$/,
  );

  const built = await run('build', 'my-plugin');
  assert.equal(built.code, 0, built.err);
  assert.match(built.out, /^built my-plugin\/build\/my-plugin\.wasm {3}\d+ KB {3}sha256 [0-9a-f]{12}\n$/);
  const bytes = readFileSync(join(folder, 'my-plugin/build/my-plugin.wasm'));
  assert.throws(() => checkConfig(bytes, { pluginConfig: { greeting: 5 } }), { code: 'config-mismatch' });

  const document = parsePluginDocument(parse(readFileSync(join(folder, 'my-plugin/plugin.yaml'), 'utf8')));
  assert.ok(!Array.isArray(document) && document.name === 'my-plugin');
  checkConfig(bytes, document);
});

test('what is there already, and what can be no name, is refused', async () => {
  write('taken', 'a file');
  const names: readonly [name: string, code: number][] = [
    ['my-plugin', 1],
    ['My_Plugin', 2],
  ];
  for (const [name, code] of names) assert.equal((await run('new', name)).code, code, name);
});

test('the faults of a source are told with their place, those of a schema too', async () => {
  await run('new', 'broken');
  appendFileSync(join(folder, 'broken/assembly/index.ts'), 'const wrong: i32 = "text";\n');
  const built = await run('build', 'broken');
  assert.equal(built.code, 1);
  assert.match(built.err, /^error: .*does not compile\n/);
  assert.match(built.err, /assembly\/index\.ts\(\d+,20\)/);
  write('broken/config.schema.json', '{"type": ');
  assert.match((await run('build', 'broken')).err, /^error: broken\/config\.schema\.json: /);
  assert.match((await run('build', 'nowhere')).err, /holds no assembly\/index\.ts/);
});

test('what is not as expected fails the run, and is told', async () => {
  const { path } = await buildPlugin('rate-limit');
  const file = write(
    'requests.yaml',
    `pluginConfig: {requestsPerSecond: 2}
requests:
  - {name: two, times: 2, expect: {status: 200, headers: {x-rate-limit: "2"}}}
  - {name: third, expect: {status: 403, forwarded: false}}
  - {name: later, after: 600ms, expect: {status: 200, forwarded: true}}`,
  );
  const good = await run('test', path, '--request', file);
  assert.equal(good.code, 0, good.out);
  assert.match(
    good.out,
    /later {3}at 0\.6 s {2}→ {2}200\n[\s\S]*\nmetrics {2}rate_limit_refused 1\nok: 4 requests\n$/,
  );

  write(
    'wrong.yaml',
    readFileSync(join(folder, file), 'utf8').replace('status: 403', 'status: 200, body: x'),
  );
  const bad = await run('test', path, '--request', 'wrong.yaml');
  assert.equal(bad.code, 1);
  assert.match(
    bad.out,
    /\n {2}FAILED {3}expected status 200, got 403\n {2}FAILED {3}expected body "x", got /,
  );
  assert.match(bad.out, /\nfailed: 3 requests, 1 failed\n$/);

  const json = await run('test', path, '--request', 'wrong.yaml', '--json');
  const { ok, exchanges } = JSON.parse(json.out);
  assert.deepEqual([json.code, ok, exchanges[2].failures.length], [1, false, 2]);
});

test('a plugin that refuses its configuration, or traps, fails the run', async () => {
  const config = write('config.yaml', 'pluginConfig: {value: 5}\nrequests: [{path: /}]');
  const refused = await run('test', (await buildPlugin('add-header')).path, '--request', config);
  assert.equal(refused.code, 1);
  assert.match(
    refused.out,
    /log {6}error: value: expected a string, got number\n {2}REFUSED .*\nfailed: 0 requests, 1 not reached/,
  );
  const trap = write('trap.yaml', '- {headers: {x-probe: trap}}\n- {path: /}');
  const trapped = await run('test', (await buildPlugin('probe')).path, '--request', trap);
  assert.equal(trapped.code, 1);
  assert.match(trapped.out, /TRAPPED .*unreachable.*\nfailed: 0 requests, 2 not reached/);
});

test('every fault of a request file is told with its place', async () => {
  const file = write(
    'faults.yaml',
    'requests:\n  - {pth: /, expect: {status: 2000}}\n  - {after: 5}\ncals: []\n',
  );
  const { code, err } = await run('test', 'my-plugin', '--request', file);
  assert.equal(code, 1);
  for (const place of [
    'faults.yaml:2:6: requests[0].pth: unknown field',
    'faults.yaml:3:6: ',
    'faults.yaml:4:1: cals',
  ])
    assert.ok(err.includes(place), `${place} in ${err}`);
});
