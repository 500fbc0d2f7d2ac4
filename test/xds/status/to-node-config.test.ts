/** From what is known of a node to the status of each of its resources. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NodePresence } from '../../../src/model/node.ts';
import { type ResourceConfig, versionOf } from '../../../src/model/node-config.ts';
import type { NodeVerdict } from '../../../src/model/node-verdict.ts';
import type { Snapshot } from '../../../src/model/snapshot.ts';
import { CLUSTER_TYPE, LISTENER_TYPE, SECRET_TYPE } from '../../../src/model/type-url.ts';
import type { ResourceState } from '../../../src/xds/status/resource-states.ts';
import { toNodeConfig } from '../../../src/xds/status/to-node-config.ts';
import { part, slotContent, snapshotOf } from '../model/content.ts';
import { presenceOf, verdictOf } from './facts.ts';

const A1 = slotContent([part('a', 1)], 'authn');
const A2 = slotContent([part('a', 2)], 'authn');
const plugins = [{ plugin: 'default/a', revision: 2 }];

interface Story {
  /** `a@2`, of clusters. */
  readonly wanted?: string;
  readonly typeUrl?: string;
  readonly states?: readonly Partial<ResourceState>[];
  readonly presence?: Partial<NodePresence>;
}

function readOne({ wanted, typeUrl = CLUSTER_TYPE, states = [], presence = {} }: Story): ResourceConfig[] {
  const [name = '', version = ''] = (wanted ?? '').split('@');
  const resources =
    wanted === undefined ? [] : [[name, { typeUrl, name, version, any: Buffer.from(wanted) }] as const];
  const snapshot: Snapshot = {
    ...snapshotOf({ slots: new Map(), listeners: new Map() }),
    resources: new Map([[typeUrl, new Map(resources)]]),
    listenerSlots: new Map(),
  };
  return [
    ...toNodeConfig({
      presence: presenceOf('edge-1', presence),
      verdict: () => undefined,
      snapshot,
      states: states.map(state => ({
        typeUrl,
        name: 'a',
        version: '1',
        state: 'acked',
        at: 5,
        ...state,
      })),
    }).resources,
  ];
}

/** `SYNCED 1` */
const inWords = (resources: readonly ResourceConfig[]): string =>
  resources.map(it => `${it.status} ${versionOf(it)}`.trim()).join(', ');

test('wanted and not sent; also while an older version is there', () => {
  assert.equal(inWords(readOne({ wanted: 'a@2' })), 'NOT_SENT 2');
  const [older] = readOne({ wanted: 'a@2', states: [{}] });
  assert.equal(inWords([older ?? assert.fail()]), 'NOT_SENT 2');
  assert.equal(older?.ackedVersion, '1');
  assert.equal(older?.at, null);
});

test('what is out is STALE, with the version that it has and the one that was sent', () => {
  const [config] = readOne({ wanted: 'a@2', states: [{}, { version: '2', state: 'sent', at: 9 }] });
  assert.equal(inWords([config ?? assert.fail()]), 'STALE 2');
  assert.deepEqual([config?.ackedVersion, config?.sentVersion, config?.at], ['1', '2', 9]);
  assert.equal(Buffer.from(config?.config ?? []).toString(), 'a@2');
});

test('the content of a version that was overtaken while it was out is not to be had', () => {
  const [config] = readOne({ wanted: 'a@3', states: [{ version: '2', state: 'sent' }] });
  assert.equal(inWords([config ?? assert.fail()]), 'STALE 2');
  assert.equal(config?.config, null);
});

test('ACKed as wanted is SYNCED; with two streams, when both have it', () => {
  assert.equal(inWords(readOne({ wanted: 'a@1', states: [{}] })), 'SYNCED 1');
  assert.equal(inWords(readOne({ wanted: 'a@2', states: [{ version: '2' }, {}] })), 'NOT_SENT 2');
});

test('a refusal counts until something else is wanted', () => {
  const nacked = { version: '2', state: 'nacked', at: 8, message: 'no' } as const;
  const [config] = readOne({ wanted: 'a@2', states: [{}, nacked] });
  assert.equal(inWords([config ?? assert.fail()]), 'ERROR 2');
  assert.deepEqual(config?.refused, { version: '2', message: 'no', at: 8 });
  assert.equal(Buffer.from(config?.config ?? []).toString(), 'a@2');
  assert.equal(inWords(readOne({ wanted: 'a@1', states: [{}, nacked] })), 'SYNCED 1');
  assert.equal(inWords(readOne({ wanted: 'a@3', states: [{}, nacked] })), 'NOT_SENT 3');
});

test('what is to go is told until it is gone', () => {
  assert.equal(inWords(readOne({ states: [{}] })), 'NOT_SENT');
  assert.equal(inWords(readOne({ states: [{}, { version: '', state: 'sent' }] })), 'STALE');
  assert.deepEqual(readOne({}), []);
});

test('of a node that is not connected nothing is known', () => {
  assert.equal(inWords(readOne({ wanted: 'a@1', presence: { connected: false } })), 'UNKNOWN 1');
});

test('a secret has no content here, in no state', () => {
  for (const states of [[], [{}], [{ state: 'nacked', message: 'no' } as const]])
    assert.equal(readOne({ wanted: 'a@1', typeUrl: SECRET_TYPE, states })[0]?.config, null);
});

function readPlace(verdict: NodeVerdict | undefined, connected = true): ResourceConfig {
  const snapshot = snapshotOf({
    slots: new Map([['authn', { wanted: [part('a', 2)], good: [part('a', 1)] }]]),
    listeners: new Map([['main', { version: '1', slots: ['authn'] }]]),
  });
  const { resources } = toNodeConfig({
    presence: presenceOf('edge-1', { connected }),
    verdict: () => verdict,
    snapshot,
    states: [],
  });
  assert.deepEqual(
    resources.filter(({ typeUrl }) => typeUrl === LISTENER_TYPE).map(({ name }) => name),
    ['main'],
  );
  return resources.at(-1) ?? assert.fail();
}

const tried = { contentHash: A2.contentHash, acked: false, plugins };
const accepted = { contentHash: A2.contentHash, at: 3, plugins };

test('a place: not asked for, sent, fetching, accepted, of a former process', () => {
  const words = (verdict?: NodeVerdict) => inWords([readPlace(verdict)]);
  const v2 = `${A2.contentHash}.v`;
  assert.equal(words(), `NOT_SENT ${v2}`);
  assert.equal(words(verdictOf('authn', { state: 'sent', tried })), `STALE ${v2}`);
  assert.equal(words(verdictOf('authn', { state: 'fetching', tried })), `STALE ${v2}`);
  assert.equal(words(verdictOf('authn', { state: 'accepted', tried, accepted })), `SYNCED ${v2}`);
  const former = verdictOf('authn', { state: 'accepted', tried, accepted, process: 'before' });
  assert.equal(words(former), `NOT_SENT ${v2}`);
  assert.equal(readPlace(former, false).status, 'UNKNOWN');
});

test('a place: newer content is wanted than what was accepted', () => {
  const old = { contentHash: A1.contentHash, at: 3, plugins };
  const verdict = verdictOf('authn', {
    state: 'sent',
    tried: { contentHash: A1.contentHash, acked: true, plugins },
    accepted: old,
  });
  const config = readPlace(verdict);
  assert.equal(config.status, 'NOT_SENT');
  assert.equal(config.ackedVersion, `${A1.contentHash}.v`);
});

test('a place: refused with Envoy’s text and the refused content, while the last good one serves', () => {
  const refused = { contentHash: A2.contentHash, message: 'Unable to create', at: 4, healed: true };
  const old = { contentHash: A1.contentHash, at: 3, plugins };
  const back = { contentHash: A1.contentHash, acked: true, plugins };
  const config = readPlace(verdictOf('authn', { state: 'refused', tried: back, accepted: old, refused }));
  assert.equal(config.status, 'ERROR');
  assert.deepEqual(config.refused, { version: `${A2.contentHash}.v`, message: 'Unable to create', at: 4 });
  assert.equal(config.ackedVersion, `${A1.contentHash}.v`);
  // As compiled: nothing that one process could fetch with is in it.
  assert.deepEqual(config.config, A2.verdict.bytes);
});

test('a place: a module that the node cannot fetch is an ERROR that says so', () => {
  const config = readPlace(verdictOf('authn', { state: 'unreachable', tried }));
  assert.equal(config.status, 'ERROR');
  assert.match(config.refused?.message ?? '', /cannot fetch/);
});

test('what no stream asks for says so; a name that is nowhere is no resource', () => {
  const asked = (states: readonly Partial<ResourceState>[]): boolean[] =>
    readOne({ wanted: 'a@2', states }).map(it => it.asked);
  assert.deepEqual(asked([]), [false]);
  assert.deepEqual(asked([{ state: 'asked', version: '' }]), [true]);
  assert.deepEqual(asked([{ state: 'asked', name: '*', version: '' }]), [true]);
  assert.deepEqual(asked([{ state: 'asked', name: 'b', version: '' }]), [false]);
});
