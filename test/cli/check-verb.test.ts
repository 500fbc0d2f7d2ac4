import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import type { CommandContext, CommandPorts } from '../../src/cli/command-context.ts';
import type { CheckedRelease, ModuleCheck } from '../../src/model/module-check.ts';
import { folder, run, writeDocument } from './run-main.ts';

const MODULE: NonNullable<ModuleCheck['module']> = {
  sha256: 'a'.repeat(64),
  sizeBytes: 14_000,
  layout: 'plain',
  abi: '0.2.1',
  memoryPages: 2,
  imports: [{ kind: 'function', name: 'env.proxy_log', signature: 'i32,i32,i32->i32' }],
  exports: [{ kind: 'function', name: 'proxy_on_configure', signature: 'i32,i32->i32' }],
};
const RUN: NonNullable<CheckedRelease['run']> = {
  logs: [{ level: 'info', message: 'hello' }],
  hasMoreLogs: false,
  tookMs: 12,
  wanted: { properties: ['xds.node.id'], metrics: [], clusters: ['auth'] },
  unknowable: ['property xds.node.id is known to the node alone'],
  leaving: 'proxy_on_done: unreachable',
};
const ACCEPTED: CheckedRelease = { envoyVersion: '1.40.0', result: 'accepted', run: RUN };

type Asked = Parameters<CommandPorts['checkFile']>[0];

/** Ports that give this answer, and what they were asked. */
function answering(releases: readonly CheckedRelease[] | Error): {
  readonly world: Pick<CommandContext, 'ports'>;
  readonly asked: Asked[];
} {
  const asked: Asked[] = [];
  const checkFile: CommandPorts['checkFile'] = async request => {
    asked.push(request);
    if (releases instanceof Error) throw releases;
    return { name: request.path, module: MODULE, releases };
  };
  return { world: { ports: { checkFile } as unknown as CommandPorts }, asked };
}

test('check tells what the module is, what each release does with it, and what the plugin said', async () => {
  const refused: CheckedRelease = {
    envoyVersion: '1.36.2',
    result: 'refused',
    fault: { code: 'unknown-import', message: 'it imports what is not there', hint: 'Do.', faults: [] },
  };
  const { world, asked } = answering([ACCEPTED, refused]);
  const args = ['check', 'auth.wasm', '--envoy', '1.40.0', '--envoy', '1.36.2,1.39'];
  const { code, out, err } = await run(args, world);
  assert.deepEqual([code, err], [1, '']);
  assert.deepEqual(asked[0]?.envoyVersions, ['1.40.0', '1.36.2', '1.39']);
  for (const line of [
    /^ {2}ABI +0\.2\.1$/m,
    /^ {2}memory at start +128 KiB$/m,
    /^imports \(1\)\n {2}env\.proxy_log \(i32,i32,i32\) -> i32$/m,
    /^exports \(1\)$/m,
    /^Envoy 1\.40\.0: accepted, started in 12 ms\n {2}log info +hello$/m,
    /^ {2}asks for clusters: auth$/m,
    /^ {2}could not be known here: property xds/m,
    /^ {2}warning: it fails when it is to go, .*: proxy_on_done: unreachable$/m,
    /^Envoy 1\.36\.2: refused\n {2}it imports what is not there\n {2}Do\.\n {2}\(code unknown-import, /m,
  ])
    assert.match(out, line);
});

test('check ends with 0 where all is accepted or only a node can tell, and with 1 where nothing was found', async () => {
  const unsure: CheckedRelease = { envoyVersion: '', result: 'unsure', reason: 'it says no', run: RUN };
  const good = await run(['check', 'auth.wasm'], answering([ACCEPTED, unsure]).world);
  assert.equal(good.code, 0);
  assert.match(good.out, /^the newest Envoy that is known: only a node can tell: it says no/m);
  assert.equal((await run(['check', 'auth.wasm'], answering([]).world)).code, 1);
});

test('check prints the same for programs', async () => {
  for (const form of [['--json'], ['-o', 'json'], ['-o', 'yaml']]) {
    const { out } = await run(['check', 'auth.wasm', ...form], answering([ACCEPTED]).world);
    assert.deepEqual(parse(out).releases[0], ACCEPTED);
  }
});

test('check takes everything that starts a plugin from its document, and points into it', async () => {
  const file = writeDocument(
    'checked.yaml',
    '  url: oci://r.example/auth:1\n  pluginName: root\n  pluginConfig: {realm: x}\n  vmConfig: {env: [{name: A, value: b}]}\n',
  );
  const faults = [{ pointer: '/spec/pluginConfig/realm', message: 'is too short' }];
  const fault = { code: 'config-mismatch', message: 'realm: is too short', faults };
  const { world, asked } = answering([{ envoyVersion: '', result: 'refused', fault }]);
  const { code, out } = await run(['check', 'auth.wasm', '--plugin', file], world);
  assert.equal(code, 1);
  const { pluginName, pluginConfig, env } = asked[0]?.plugin ?? {};
  assert.deepEqual([pluginName, pluginConfig, env], ['root', { realm: 'x' }, [{ name: 'A', value: 'b' }]]);
  assert.match(out, /checked\.yaml:7:18: spec\.pluginConfig\.realm: is too short/);
});

test('check takes a configuration by itself, whose root is then the place of faults', async () => {
  const file = join(folder, 'realm.yaml');
  writeFileSync(file, '# a\nrealm: x\n');
  const faults = [{ pointer: '/spec/pluginConfig/realm', message: 'is too short' }];
  const fault = { code: 'config-mismatch', message: 'realm: is too short', faults };
  const { world, asked } = answering([{ envoyVersion: '', result: 'refused', fault }]);
  const { out } = await run(['check', 'auth.wasm', '--config', file], world);
  assert.deepEqual(asked[0]?.plugin.pluginConfig, { realm: 'x' });
  assert.match(out, /realm\.yaml:2:1: realm: is too short/);
});

test('what check cannot use is refused before anything is run', async () => {
  const unused = answering([]).world;
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const plugin = writeDocument('one.yaml', '  url: oci://r.example/auth:1\n');
  const two = file('two.yaml', 'kind: A\n---\nkind: B\n');
  for (const [args, code, what] of [
    [['--config', plugin, '--plugin', plugin], 2, /--config and --plugin/],
    [['--envoy', 'newest'], 2, /release of Envoy/],
    [['--config', file('list.yaml', '- 1\n')], 1, /list\.yaml:1:1: /],
    [['--config', two], 1, /one configuration was expected/],
    [['--plugin', file('none.yaml', '')], 1, /holds 0 plugins/],
    [['--plugin', file('bad.yaml', 'kind: Plugin\n')], 1, /bad\.yaml:1:1: /],
    [['--plugin', join(folder, 'nowhere.yaml')], 1, /nowhere\.yaml/],
  ] as const) {
    const ran = await run(['check', 'auth.wasm', ...args], unused);
    assert.deepEqual([ran.code, ran.out], [code, ''], args.join(' '));
    assert.match(ran.err, what);
  }
});

test('a file that is not there is told as one, and a fault of ours as it is', async () => {
  const missing = Object.assign(new Error('ENOENT: no such file'), { syscall: 'open' });
  const ran = await run(['check', 'auth.wasm'], answering(missing).world);
  assert.deepEqual(
    [ran.code, ran.err],
    [1, 'error: auth.wasm: ENOENT: no such file. Correct the file, or its name, and run it again.\n'],
  );
  assert.equal(
    (await run(['check', 'auth.wasm'], answering(new Error('ours')).world)).err,
    'error: ours\nThis was not foreseen: please report it, with the command that you typed.\n',
  );
});
