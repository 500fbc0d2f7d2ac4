/**
 * Bytes of today, kept: a change here reaches every Envoy of an upgraded Attaché. If it is meant, raise
 * COMPILE_FORMAT and write the files anew: `UPDATE_GOLDEN=1 node --test test/compile/golden.test.ts`.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { COMPILE_FORMAT } from '../../src/compile/compile-format.ts';
import type { NodeCapabilities } from '../../src/model/node.ts';
import type { Snapshot } from '../../src/model/snapshot.ts';
import {
  assign,
  makeCompiler,
  makeInputs,
  makeListener,
  makePlugin,
  makeResource,
  SINGLE,
} from './compile-samples.ts';

const folder = fileURLToPath(new URL('../fixtures/golden', import.meta.url));

function compileSample(capabilities: NodeCapabilities): Snapshot {
  const plugins = assign([
    makePlugin('auth', {
      pluginConfig: { realm: 'example', b: [1, { z: null, a: true }] },
      pluginName: 'auth_root',
      env: [
        { name: 'LEVEL', value: 'info' },
        { name: 'HOSTNAME', valueFrom: 'HOST' },
      ],
      failStrategy: 'FAIL_OPEN',
      priority: 10,
    }),
    makePlugin('quota'),
    makePlugin('stats', { phase: 'STATS', failStrategy: 'FAIL_CLOSE' }),
  ]);
  const resources = [
    makeResource(makeListener()),
    makeResource(makeListener({ name: 'open', port: 8081 }), { name: 'open', unanswered: 'allow' }),
  ];
  return makeCompiler().compile(makeInputs({ plugins, resources, capabilities }));
}

/** Everything that goes to an Envoy, and the hashes that decide whether it does. */
function describeSample(snapshot: Snapshot, slots: readonly string[]): object {
  const toText = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
  const resources = [...snapshot.resources.values()].flatMap(byName => [...byName.values()]);
  return {
    format: snapshot.format,
    resources: resources.map(({ typeUrl, name, version, any }) => ({
      typeUrl,
      name,
      version,
      any: toText(any),
    })),
    listenerSlots: [...snapshot.listenerSlots],
    slots: slots.map(name => {
      const { wanted } = snapshot.slot(name);
      const template = ({ bytes, holes }: typeof wanted.verdict) => ({ bytes: toText(bytes), holes });
      return { name, ...wanted, warming: template(wanted.warming), verdict: template(wanted.verdict) };
    }),
  };
}

const SAMPLES: readonly [string, NodeCapabilities, readonly string[]][] = [
  [
    'chain',
    { filterChain: true, wasm: true, failReload: true },
    ['attache.authn/ingress', 'attache.stats', 'attache.last/open'],
  ],
  ['single', SINGLE, ['default/auth', 'default/quota', 'stats', 'attache.last']],
  ['before-fail-reload', { ...SINGLE, failReload: false }, ['default/auth', 'default/stats']],
];

for (const [name, capabilities, slots] of SAMPLES)
  test(`${name}: the compiled bytes are those of format ${COMPILE_FORMAT}`, () => {
    const path = `${folder}/format-${COMPILE_FORMAT}-${name}.json`;
    const now = describeSample(compileSample(capabilities), slots);
    if (process.env.UPDATE_GOLDEN !== undefined) {
      mkdirSync(folder, { recursive: true });
      writeFileSync(path, `${JSON.stringify(now, null, 2)}\n`);
    }
    assert.ok(existsSync(path), `${path} is missing: see the head of this file`);
    assert.deepEqual(JSON.parse(JSON.stringify(now)), JSON.parse(readFileSync(path, 'utf8')));
  });
