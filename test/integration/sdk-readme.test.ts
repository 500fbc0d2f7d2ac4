/** plugins/sdk/README.md against the SDK: nothing is left out, and its example is a plugin that works. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { compilePlugin } from '../../src/cli/plugin/compile-plugin.ts';
import { readRequestFile } from '../../src/cli/plugin/request-file.ts';
import { checkModule } from '../../src/module/check-module.ts';
import { runPlugin } from '../../src/module/trial/stream/run-plugin.ts';
import { systemClock } from '../module/actors.ts';

const sdk = fileURLToPath(new URL('../../plugins/sdk', import.meta.url));
const readme = readFileSync(join(sdk, 'README.md'), 'utf8');
const source = (name: string) => readFileSync(join(sdk, 'assembly', name), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'attache-sdk-'));
after(() => rmSync(folder, { recursive: true }));

/** Names that a plugin can import. */
const exported = [...source('index.ts').matchAll(/export \{([^}]*)\}/g)].flatMap(([, names = '']) =>
  names.split(',').flatMap(name => name.trim() || []),
);
/** Public methods of the classes among them. */
const methods = readdirSync(join(sdk, 'assembly')).flatMap(file =>
  [...source(file).matchAll(/^export class (\w+)[^{]*\{\n([\s\S]*?)^\}/gm)].flatMap(
    ([, name = '', body = '']) =>
      exported.includes(name)
        ? [...body.matchAll(/^ {2}(\w+)\(/gm)].flatMap(([, method]) => method ?? [])
        : [],
  ),
);

test('every function, class and method of the SDK stands in its README', () => {
  assert.ok(
    exported.length > 35 && methods.length > 20,
    `${exported.length} names, ${methods.length} methods`,
  );
  const missing = [...exported, ...methods.filter(name => name !== 'constructor')].filter(
    name => !new RegExp(`\`[^\`]*\\b${name}\\b`).test(readme),
  );
  assert.deepEqual(missing, []);
});

test('every part of the SDK that has callbacks is named with its line', () => {
  for (const file of readdirSync(join(sdk, 'assembly')))
    if (/^(abi|callbacks.*)\.ts$/.test(file))
      assert.ok(readme.includes(`export * from "../sdk/assembly/${file.replace('.ts', '')}"`), file);
});

test('the example builds and does what it says', async () => {
  const [, example = ''] = /```ts\n([\s\S]*?)```/.exec(readme) ?? [];
  mkdirSync(join(folder, 'assembly'));
  cpSync(sdk, join(folder, 'sdk'), { recursive: true });
  writeFileSync(join(folder, 'assembly', 'index.ts'), example);
  const bytes = await compilePlugin(folder);
  assert.equal(checkModule(bytes, []).abi, '0.2.1');
  const requests = join(folder, 'requests.yaml');
  writeFileSync(
    requests,
    `pluginConfig: {word: sesame}
requests:
  - {headers: {x-word: sesame}, response: {headers: {server: it}}}
  - {headers: {x-word: other}}`,
  );
  const { plan } = readRequestFile(requests, 'door');
  const run = await runPlugin(bytes, plan, systemClock, new AbortController().signal);
  const [good, bad] = run.exchanges;
  assert.deepEqual(good?.response?.after.headers, [[':status', '200']]);
  assert.deepEqual(bad?.local, { status: 403, details: 'wrong_word' });
  assert.ok(bad?.response?.after.headers.some(([name, value]) => name === 'x-hint' && value === 'sesame'));
  assert.deepEqual(run.metrics, { door_refused: 1 });
});
