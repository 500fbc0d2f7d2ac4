import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fitLines, LiveFrame } from '../../../src/cli/rollout/live-frame.ts';

function frame(columns: number, rows: number): { readonly live: LiveFrame; readonly written: string[] } {
  const written: string[] = [];
  return {
    live: new LiveFrame({ columns, rows, hasColour: false, write: text => written.push(text) }),
    written,
  };
}

test('a drawing goes over the one before, line ends and all', () => {
  const { live, written } = frame(80, 24);
  live.draw(['one', 'two']);
  live.draw(['three']);
  live.draw(['four', 'five']);
  assert.deepEqual(written, ['\x1b[Jone\ntwo\n', '\x1b[2F\x1b[Jthree\n', '\x1b[1F\x1b[Jfour\nfive\n']);
});

test('a line that wraps counts for as many rows as it takes', () => {
  const { live, written } = frame(10, 24);
  live.draw(['x'.repeat(21), '']);
  live.draw(['y']);
  assert.equal(written[1], '\x1b[4F\x1b[Jy\n');
});

test('what is printed leaves the drawing where it is, and the next one goes below', () => {
  const { live, written } = frame(80, 24);
  live.draw(['one']);
  live.print('03:34:40 lost http://a, trying again');
  live.draw(['two']);
  assert.deepEqual(written.slice(1), ['03:34:40 lost http://a, trying again\n', '\x1b[Jtwo\n']);
});

test('lines in the middle give way where the terminal is too low', () => {
  const lines = Array.from({ length: 12 }, (_, i) => `line ${i + 1}`);
  assert.deepEqual(fitLines(lines, { columns: 80, rows: 13 }), lines);
  assert.deepEqual(fitLines(lines, { columns: 80, rows: 8 }), [
    'line 1',
    'line 2',
    'line 3',
    '… 6 more lines',
    'line 10',
    'line 11',
    'line 12',
  ]);
  assert.equal(fitLines(lines, { columns: 80, rows: 2 }).length, 5);
});
