import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matchesLabels, parseLabelSelector } from '../../src/model/label-selector.ts';

const labels = { app: 'gateway', tier: '', 'a.b/c': 'x-1' };
const matches = (text: string) => matchesLabels(parseLabelSelector(text) ?? assert.fail(text), labels);

test('equality, inequality, presence and absence; all of them hold', () => {
  for (const text of [
    'app=gateway',
    'app==gateway',
    'app!=x',
    'app',
    '!zone',
    'zone!=a',
    'tier=',
    'a.b/c=x-1',
  ])
    assert.equal(matches(text), true, text);
  for (const text of ['app=x', 'app!=gateway', 'zone', '!app', 'zone=a', 'app=gateway,zone'])
    assert.equal(matches(text), false, text);
  assert.equal(matches('app=gateway , !zone'), true);
});

test('a label of the language itself is none of the node', () => {
  assert.equal(matches('constructor'), false);
});

test('what is no selector is said to be none', () => {
  for (const text of ['', ',', 'a=b,', '=b', '!a=b', 'a in (b)', 'a=b=c', 'ä=b'])
    assert.equal(parseLabelSelector(text), undefined, text);
});
