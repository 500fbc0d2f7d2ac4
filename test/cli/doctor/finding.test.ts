import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeReports, ok, problem, toNameList, warning } from '../../../src/cli/doctor/finding.ts';

test('a line per finding, under what it is about, and the sum', () => {
  const reports = [
    { about: 'server', findings: [ok('a', 'answers'), warning('b', 'old: update it')] },
    { about: 'data', findings: [problem('c', 'open'), problem('d', 'full')] },
  ];
  assert.equal(
    describeReports(reports),
    'server\n  ok       answers\n  warning  old: update it\ndata\n  problem  open\n  problem  full\n2 problems, 1 warning',
  );
  assert.match(describeReports([{ about: 'x', findings: [ok('a', 'b')] }]), /\nall well$/);
});

test('of a long list the first few', () => {
  assert.equal(toNameList(['a', 'b', 'c']), 'a, b, c');
  assert.equal(toNameList(['a', 'b', 'c', 'd']), 'a, b, c and 1 more');
});
