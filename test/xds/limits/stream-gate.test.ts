import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_XDS_LIMITS } from '../../../src/model/xds-limits.ts';
import { StreamGate, TOLD_CONNECTIONS } from '../../../src/xds/limits/stream-gate.ts';

const gateOf = (limits: Partial<typeof DEFAULT_XDS_LIMITS>) =>
  new StreamGate({ ...DEFAULT_XDS_LIMITS, ...limits });

test('connections beyond the limit are told why, and beyond a hundred of those cut', () => {
  const gate = gateOf({ connections: 2 });
  assert.deepEqual([gate.connect('a'), gate.connect('b'), gate.connect('c')], ['served', 'served', 'told']);
  assert.throws(() => gate.enter('c', true, 0), { code: 'too-many-connections', limit: 'connections' });
  for (let i = 1; i < TOLD_CONNECTIONS; i++) assert.equal(gate.connect(`told-${i}`), 'told');
  assert.equal(gate.connect('d'), 'cut');
  gate.disconnect('d');
  gate.disconnect('a');
  assert.equal(gate.connect('e'), 'served');
  assert.equal(gate.connect('f'), 'cut');
  gate.disconnect('c');
  assert.equal(gate.connect('f'), 'told');
});

test('streams are bounded on a connection and over all, and make room as they go', () => {
  const gate = gateOf({ streams: 3, 'streams-per-connection': 2 });
  gate.connect('a');
  gate.connect('b');
  assert.equal(gate.enter('a', true, 0), 0);
  assert.equal(gate.enter('a', false, 0), 0);
  assert.throws(() => gate.enter('a', true, 0), {
    code: 'too-many-streams',
    limit: 'streams-per-connection',
  });
  assert.equal(gate.enter('b', true, 0), 0);
  assert.throws(() => gate.enter('b', true, 0), { code: 'too-many-streams', limit: 'streams' });
  gate.leave('a');
  assert.equal(gate.enter('b', true, 0), 0);
  assert.equal(gate.streams, 3);
});

test('streams that end after their connection are counted down once', () => {
  const gate = gateOf({});
  gate.connect('a');
  gate.enter('a', true, 0);
  gate.disconnect('a');
  assert.equal(gate.streams, 1);
  gate.leave('a');
  assert.deepEqual([gate.streams, gate.connections], [0, 0]);
  // One whose connection broke before it came in.
  assert.equal(gate.enter('a', true, 0), 0);
  gate.leave('a');
  assert.equal(gate.streams, 0);
});

test('new streams wait for a second at most, and are refused then', () => {
  const gate = gateOf({ 'new-streams-per-second': 8 });
  const enter = (peer: string, now: number): number => gate.enter(peer, true, now);
  for (let i = 0; i < 40; i++) gate.connect(`p${i}`);
  for (let i = 0; i < 8; i++) assert.equal(enter(`p${i}`, 0), 0);
  for (let i = 8; i < 16; i++) assert.equal(enter(`p${i}`, 0), (i - 7) * 125);
  assert.throws(() => enter('p16', 0), { code: 'too-many-new-streams', limit: 'new-streams-per-second' });
  assert.equal(enter('p17', 125), 1000);
});

test('one connection has a quarter of the rate, so that it leaves the rest to others', () => {
  const gate = gateOf({ 'new-streams-per-second': 8 });
  gate.connect('greedy');
  gate.connect('modest');
  assert.deepEqual(
    [0, 1, 2, 3].map(() => gate.enter('greedy', true, 0)),
    [0, 0, 500, 1000],
  );
  for (let i = 0; i < 20; i++)
    assert.throws(() => gate.enter('greedy', true, 0), { code: 'too-many-new-streams' });
  assert.equal(gate.enter('modest', true, 0), 0);
});

test('calls that ask for no configuration take nothing from those that do', () => {
  const gate = gateOf({ 'new-streams-per-second': 4 });
  for (let i = 0; i < 20; i++) {
    gate.connect(`p${i}`);
    gate.enter(`p${i}`, false, 0);
  }
  assert.equal(gate.enter('p0', true, 1000), 0);
});

test('one connection has no more than 50 of a high rate, and a crowd of them no more than a burst at once', () => {
  const gate = gateOf({ 'new-streams-per-second': 2000 });
  gate.connect('greedy');
  for (let i = 0; i < 50; i++) assert.equal(gate.enter('greedy', true, 0), 0);
  assert.equal(gate.enter('greedy', true, 0), 20);
  for (let i = 0; i < 256 - 51; i++) {
    gate.connect(`p${i}`);
    assert.equal(gate.enter(`p${i}`, true, 0), 0);
  }
  gate.connect('next');
  assert.equal(gate.enter('next', true, 0), 0.5);
});
