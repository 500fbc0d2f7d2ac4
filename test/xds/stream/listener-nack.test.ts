import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Download, Downloads } from '../../../src/xds/push/downloads.ts';
import { blamesPlugin, decideListener, type ListenerNack } from '../../../src/xds/stream/listener-nack.ts';

const NACK: ListenerNack = { version: '1', message: '', sentAt: 1000, nackedAt: 2000, count: 1 };

function gets(...downloads: readonly [startedAt: number, state: Download['state']][]): Downloads {
  return new Map([['module', downloads.map(([startedAt, state], id) => ({ id, startedAt, state }))]]);
}

test('7. only a text that blames a plugin is no final refusal of a listener', () => {
  assert.equal(
    blamesPlugin('Error adding/updating listener(s) l: Unable to create Wasm plugin default/a'),
    true,
  );
  assert.equal(blamesPlugin('Error adding/updating listener(s) l: no such cluster'), false);
});

test('7. miss or refusal of a listener: the GET decides', () => {
  const table: readonly [string, Downloads, now: number, expected: object][] = [
    ['no GET yet', gets(), 2000, { next: 'wait', until: 3001 }],
    ['a second without a GET', gets(), 3001, { next: 'heal' }],
    ['a GET that runs', gets([1500, 'started']), 2000, { next: 'wait', until: 62_000 }],
    ['a GET that began after the NACK', gets([2900, 'started']), 2901, { next: 'wait', until: 62_000 }],
    ['a GET that was sent', gets([1500, 'sent']), 2000, { next: 'retry' }],
    ['a GET that failed', gets([1500, 'failed']), 2000, { next: 'retry' }],
    [
      'one sent, one that runs',
      gets([1500, 'sent'], [1501, 'started']),
      2000,
      { next: 'wait', until: 62_000 },
    ],
    ['a GET that never ends', gets([1500, 'started']), 62_000, { next: 'retry' }],
    ['a GET before the listener was sent', gets([999, 'sent']), 3001, { next: 'heal' }],
    ['a GET long after the NACK', gets([3001, 'sent']), 3001, { next: 'heal' }],
  ];
  for (const [name, downloads, now, expected] of table)
    assert.deepEqual(decideListener(NACK, downloads, now), expected, name);
});

test('7. the first two repeats come at once, later ones ever slower, a minute at most', () => {
  const waits = [1, 2, 3, 4, 5, 8, 9, 30].map(count => {
    const decision = decideListener({ ...NACK, count }, gets([1500, 'sent']), NACK.nackedAt);
    return decision.next === 'wait' ? decision.until - NACK.nackedAt : 0;
  });
  assert.deepEqual(waits, [0, 0, 1000, 2000, 4000, 32_000, 60_000, 60_000]);
});

test('7. a repeated refusal without a GET is slowed down as well', () => {
  const nack = { ...NACK, count: 5 };
  assert.deepEqual(decideListener(nack, gets(), 3001), { next: 'wait', until: 6000 });
  assert.deepEqual(decideListener(nack, gets(), 6000), { next: 'heal' });
});

test('7. what it waits for is always in the future', () => {
  for (const downloads of [gets(), gets([1500, 'started']), gets([1500, 'sent'])])
    for (const count of [1, 3, 7, 20])
      for (let now = 2000; now < 70_000; now += 333) {
        const decision = decideListener({ ...NACK, count }, downloads, now);
        if (decision.next === 'wait') assert.ok(decision.until > now);
      }
});
