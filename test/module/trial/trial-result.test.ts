import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TrialEnd, TrialEvent } from '../../../src/module/trial/trial-protocol.ts';
import { type ChildEnding, toTrialResult } from '../../../src/module/trial/trial-result.ts';

const ended: ChildEnding = { isTimedOut: false, exitCode: 0, signal: null, complaint: '', limitMs: 2_000 };
const ready: TrialEvent = { kind: 'ready' };
const called: TrialEvent = { kind: 'call', name: 'proxy_on_configure' };
const asked: TrialEvent = { kind: 'unknowable', text: 'property xds.node.id is known to the node alone' };
const end = (outcome: TrialEnd, memoryPages = 1): TrialEvent => ({
  kind: 'end',
  outcome,
  reason: outcome === 'ok' ? '' : 'why',
  tookMs: 4,
  memoryPages,
});
const outcomeOf = (events: readonly TrialEvent[], ending: Partial<ChildEnding> = {}) =>
  toTrialResult(events, { ...ended, ...ending }).outcome;

test('an end that was told is the outcome', () => {
  for (const outcome of ['ok', 'refused', 'trapped', 'broken'] as const)
    assert.equal(outcomeOf([ready, called, end(outcome)]), outcome);
  const result = toTrialResult([ready, called, end('refused')], ended);
  assert.deepEqual([result.reason, result.tookMs], ['why', 4]);
});

test('a no after something that only a node knows is no refusal', () => {
  assert.equal(outcomeOf([ready, asked, end('refused')]), 'unsure');
  assert.equal(outcomeOf([ready, asked, end('trapped')]), 'unsure');
  assert.equal(outcomeOf([ready, asked, end('ok')]), 'ok');
  assert.equal(outcomeOf([ready, asked, end('broken')]), 'broken');
});

test('a loop is ended whatever was asked for: it would stop an Envoy', () => {
  const result = toTrialResult([ready, asked, called], { ...ended, isTimedOut: true, signal: 'SIGKILL' });
  assert.equal(result.outcome, 'timed-out');
  assert.equal(result.reason, 'proxy_on_configure did not end within 2 s');
});

test('a process that is ended by others after it began had no memory left', () => {
  for (const signal of ['SIGABRT', 'SIGTRAP', 'SIGKILL'])
    assert.equal(outcomeOf([ready, called], { signal, exitCode: null }), 'out-of-memory');
  assert.equal(outcomeOf([ready, called], { exitCode: 134 }), 'out-of-memory');
  assert.equal(outcomeOf([ready, called], { signal: 'SIGSEGV', exitCode: null }), 'trapped');
});

test('a trap of a plugin that had taken most of what Envoy gives is for want of memory', () => {
  assert.equal(outcomeOf([ready, called, end('trapped', 16_384)]), 'out-of-memory');
  assert.equal(outcomeOf([ready, called, end('refused', 16_384)]), 'refused');
});

test('a process that never began was not run, and says why', () => {
  const result = toTrialResult([], { ...ended, exitCode: 9, complaint: 'bad option: --permission' });
  assert.deepEqual([result.outcome, result.reason], ['not-run', 'bad option: --permission']);
  assert.match(toTrialResult([], { ...ended, signal: 'SIGKILL', exitCode: null }).reason, /SIGKILL/);
});

test('what was told on the way is kept, by kind', () => {
  const result = toTrialResult(
    [
      ready,
      { kind: 'want', what: 'metric', name: 'm' },
      { kind: 'want', what: 'property', name: 'p' },
      { kind: 'log', level: 'warn', message: 'hm' },
      { kind: 'more-logs' },
      end('ok'),
    ],
    ended,
  );
  assert.deepEqual(result.wanted, {
    properties: ['p'],
    metrics: ['m'],
    clusters: [],
    foreignFunctions: [],
    hostEnv: [],
  });
  assert.deepEqual(result.logs, [{ level: 'warn', message: 'hm' }]);
  assert.equal(result.hasMoreLogs, true);
});

test('how a plugin fails when it is to go changes nothing of the outcome, and is told with its last words', () => {
  const done: TrialEvent = { kind: 'call', name: 'proxy_on_done' };
  const words: TrialEvent = { kind: 'log', level: 'error', message: 'no such key' };
  const left = (reason: string): TrialEvent => ({ kind: 'left', reason });
  const leavingOf = (events: readonly TrialEvent[], ending: Partial<ChildEnding> = {}) => {
    const { outcome, leaving, logs } = toTrialResult([ready, end('ok'), ...events], { ...ended, ...ending });
    assert.deepEqual([outcome, logs], ['ok', []]);
    return leaving;
  };
  assert.equal(leavingOf([done, words, left('')]), '');
  assert.equal(leavingOf([done, left('it traps')]), 'it traps');
  assert.equal(leavingOf([done, words, left('it traps')]), 'it traps: "no such key"');
  assert.equal(leavingOf([done], { isTimedOut: true, signal: 'SIGKILL' }), 'proxy_on_done does not end');
  assert.equal(leavingOf([done], { signal: 'SIGSEGV' }), 'proxy_on_done ends the engine that runs it');
  assert.equal(toTrialResult([ready, end('refused')], ended).leaving, '');
});
