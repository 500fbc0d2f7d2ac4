import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startProgress, toProgressLine } from '../../src/cli/progress.ts';

test('a bar has bytes and a rate, and fits on the line', () => {
  const done = { doneBytes: 3_000_000, totalBytes: 12_000_000, elapsedMs: 2_000 };
  assert.equal(
    toProgressLine('pulling', done, { columns: 80 }),
    'pulling  ######..................  3.0 MB of 12 MB  1.5 MB/s',
  );
  assert.equal(toProgressLine('pulling', done, { columns: 30 }), 'pulling  3.0 MB of 12 MB  1.5');
  const whole = { doneBytes: 12, totalBytes: 12, elapsedMs: 0 };
  assert.match(toProgressLine('pushing', whole, { columns: 80 }), /^pushing {2}#{24} {2}12 B of 12 B/);
  assert.match(
    toProgressLine('pushing', { ...whole, totalBytes: 0 }, { columns: 80 }),
    /^pushing {2}\.{24} /,
  );
});

/** What a transfer draws whose pieces come at these times, ms. */
function draw(times: readonly number[], hasTerminal = true): string {
  let at = 0;
  let drawn = '';
  const write = (text: string) => {
    drawn += text;
  };
  const context = hasTerminal ? { errScreen: { columns: 80, rows: 24, hasColour: false, write } } : {};
  const progress = startProgress('pulling', context, () => at);
  times.forEach((time, i) => {
    at = time;
    progress.request.onTransfer?.({ doneBytes: i * 1000, totalBytes: 100_000 });
  });
  progress.end();
  return drawn;
}

test('nothing is drawn in the first second, nor where stderr is no terminal', () => {
  assert.equal(draw([0, 100, 999]), '');
  assert.equal(draw([0, 5_000, 10_000], false), '');
});

test('it is drawn at most ten times a second, and taken away at the end', () => {
  const drawn = draw([0, 1_000, 1_010, 1_050, 1_099, 1_100, 1_150]);
  assert.equal(drawn.split('pulling').length - 1, 2);
  assert.ok(drawn.endsWith('\r\x1b[K'));
});
