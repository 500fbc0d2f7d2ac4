import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DataReading, judgeData } from '../../../src/cli/doctor/judge-data.ts';

const entry = (name: string, mode = 0o600, writable = true) => ({ name, mode, writable });
const GOOD: DataReading = {
  path: 'data',
  entries: [entry('.', 0o700), entry('attache.db'), entry('secret-key'), entry('addresses.json', 0o644)],
  freeBytes: 50e9,
};
const withEntry = (...entries: DataReading['entries']) => ({
  ...GOOD,
  entries: [...GOOD.entries.filter(old => !entries.some(one => one.name === old.name)), ...entries],
});

const CASES: readonly (readonly [string, DataReading, readonly string[]])[] = [
  ['well', GOOD, ['ok data', 'ok disk']],
  ['not there', { ...GOOD, entries: [] }, ['problem no-data']],
  ['something else', { ...GOOD, entries: [entry('.'), entry('x')] }, ['problem not-data']],
  [
    'a key that others may read, in a folder that they may enter',
    withEntry(entry('.', 0o755), entry('secret-key', 0o644)),
    ['problem data-open', 'ok disk'],
  ],
  [
    'a key that others may read, in a folder that is closed',
    withEntry(entry('secret-key', 0o644)),
    ['ok data', 'ok disk'],
  ],
  [
    'a folder that others may enter, and files that they may not read',
    withEntry(entry('.', 0o755)),
    ['ok data', 'ok disk'],
  ],
  [
    'of another user',
    withEntry(entry('attache.db', 0o600, false)),
    ['ok data', 'warning data-not-writable', 'ok disk'],
  ],
  ['no room', { ...GOOD, freeBytes: 1e6 }, ['ok data', 'problem disk-full']],
  ['room that is not told', { ...GOOD, freeBytes: undefined }, ['ok data']],
];
for (const [what, reading, findings] of CASES)
  test(`a data directory: ${what}`, () => {
    assert.deepEqual(
      judgeData(reading).map(({ level, code }) => `${level} ${code}`),
      findings,
    );
  });
