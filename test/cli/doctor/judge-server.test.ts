import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeServer, type ServerReading } from '../../../src/cli/doctor/judge-server.ts';
import { findMissingFixes } from '../../../src/model/server-machine.ts';

const STATUS = {
  state: 'Connected',
  worst: 'Accepted',
  envoyVersion: '1.40.0',
  wasm: true,
  silentSince: null,
  envoys: [],
  plugins: [],
  refusedResources: [],
} as unknown as ServerReading['nodes'][number]['status'];
const node = (name: string, status: object = {}) =>
  ({ metadata: { name }, status: { ...STATUS, ...status } }) as ServerReading['nodes'][number];

const LOCAL: ServerReading = {
  url: 'http://127.0.0.1:18002',
  index: {
    version: '1.0.0',
    addresses: { xds: '127.0.0.1:18000', modules: '127.0.0.1:18001' },
    envoys: { tls: [], nodeAuth: 'none' },
  },
  who: { name: 'admin', role: 'admin', how: 'no token needed' },
  server: { runtime: '26.13.1', disk: { freeBytes: 50e9, totalBytes: 100e9 } },
  warnings: [],
  nodes: [node('edge-1')],
  frozen: null,
  limits: [{ name: 'streams', hits: 0 }],
  modules: { usedBytes: 1, quotaBytes: 100 },
  unreachable: { xds: undefined, modules: undefined },
  clockAheadMs: 900,
  ownVersion: '1.0.0',
};
const REMOTE: ServerReading = {
  ...LOCAL,
  url: 'https://attache.example:18002',
  index: {
    ...LOCAL.index,
    addresses: { xds: 'attache.example:18000', modules: 'attache.example:18001' },
    envoys: { tls: ['xds', 'modules'], nodeAuth: 'mtls' },
  },
  who: { name: 'ann', role: 'viewer', how: 'token ann' },
};
const judge = (reading: ServerReading) =>
  judgeServer(reading)
    .filter(({ level }) => level !== 'ok')
    .map(({ level, code }) => `${level} ${code}`);

test('a server on loopback and one for others: nothing is wrong with either', () => {
  assert.deepEqual([judge(LOCAL), judge(REMOTE)], [[], []]);
});

const nodes = (status: object) => ({ ...LOCAL, nodes: [node('edge-1'), node('edge-2', status)] });
const CASES: readonly (readonly [string, ServerReading, readonly string[]])[] = [
  ['another version', { ...LOCAL, ownVersion: '1.1.0' }, ['warning other-version']],
  ['an API open to strangers', { ...REMOTE, who: LOCAL.who }, ['problem open-api']],
  ['an API in plain text', { ...REMOTE, url: 'http://attache.example:18002' }, ['warning plain-api']],
  [
    'xDS open to strangers, in plain text',
    { ...REMOTE, index: { ...REMOTE.index, envoys: LOCAL.index.envoys } },
    ['problem open-xds', 'warning plain-xds'],
  ],
  ['loopback is advertised', { ...REMOTE, index: LOCAL.index }, ['problem loopback-advertised']],
  [
    'a port that does not answer',
    { ...LOCAL, unreachable: { xds: 'timed out', modules: undefined } },
    ['problem port-unreachable'],
  ],
  ['an old runtime', { ...LOCAL, server: { ...LOCAL.server, runtime: '24.22.2' } }, ['warning old-runtime']],
  ['clocks that differ', { ...LOCAL, clockAheadMs: -60_000 }, ['warning clock-differs']],
  [
    'little disk',
    { ...LOCAL, server: { ...LOCAL.server, disk: { freeBytes: 5e8, totalBytes: 1e11 } } },
    ['warning disk-nearly-full'],
  ],
  [
    'no disk',
    { ...LOCAL, server: { ...LOCAL.server, disk: { freeBytes: 1e7, totalBytes: 1e11 } } },
    ['problem disk-full'],
  ],
  ['a disk that is not told', { ...LOCAL, server: { ...LOCAL.server, disk: null } }, []],
  [
    'modules that fill their quota',
    { ...LOCAL, modules: { usedBytes: 95, quotaBytes: 100 } },
    ['warning quota-nearly-used'],
  ],
  [
    'certificates that expire',
    { ...LOCAL, warnings: ['the certificate expires in 3 d'] },
    ['warning server-warning'],
  ],
  ['frozen', { ...LOCAL, frozen: 'frozen by admin' }, ['warning frozen']],
  ['limits', { ...LOCAL, limits: [{ name: 'streams', hits: 2 }] }, ['warning limits-hit']],
  ['no node', { ...LOCAL, nodes: [] }, ['warning no-nodes']],
  ['a node that is away', nodes({ state: 'Disconnected' }), ['warning nodes-away']],
  ['a node that is silent', nodes({ silentSince: '2026-11-21T10:00:00Z' }), ['warning nodes-silent']],
  ['two of one name', nodes({ envoys: [{}, {}] }), ['warning nodes-shared']],
  ['a node without V8', nodes({ wasm: false }), ['warning nodes-without-wasm']],
  ['an old Envoy', nodes({ envoyVersion: '1.33.0' }), ['warning nodes-old']],
  ['no place for a plugin', nodes({ plugins: [{ reason: 'NoPlace' }] }), ['warning nodes-without-place']],
  ['a refusal', nodes({ worst: 'Refused' }), ['warning nodes-refuse']],
  ['a listener that was refused', nodes({ refusedResources: [{}] }), ['warning nodes-refuse']],
  ['a plugin that fails', nodes({ worst: 'Degraded' }), ['warning nodes-degraded']],
];
for (const [what, reading, findings] of CASES)
  test(`found on a server: ${what}`, () => {
    assert.deepEqual(judge(reading), findings);
  });

test('of many nodes a few are named', () => {
  const away = ['a', 'b', 'c', 'd', 'e'].map(name => node(name, { state: 'Disconnected' }));
  const [finding] = judgeServer({ ...LOCAL, nodes: away }).filter(({ code }) => code === 'nodes-away');
  assert.match(finding?.text ?? '', /^not connected: a, b, c and 2 more; /);
});

test('releases of Node.js with and without the fixes of November 2026', () => {
  const missing = ['26.13.1', '26.13.0', '24.22.3', 'v24.22.2', '25.9.0', '27.0.0', '26.14.0'].map(
    findMissingFixes,
  );
  assert.deepEqual(missing, [undefined, '26.13.1', undefined, '24.22.3', '26.13.1', undefined, undefined]);
});
