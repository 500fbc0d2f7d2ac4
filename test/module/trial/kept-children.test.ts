import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KeptChildren } from '../../../src/module/trial/kept-children.ts';
import type { ChildEnd } from '../../../src/module/trial/trial-child.ts';

function makeChild() {
  const ended = Promise.withResolvers<ChildEnd>();
  const die = () => ended.resolve({ exitCode: null, signal: 'SIGKILL', complaint: '' });
  let isKilled = false;
  const kill = () => {
    isKilled = true;
    die();
  };
  const child = { pid: 1, give() {}, listen() {}, kill, ended: ended.promise };
  return { die, kept: { child, runs: 1, usedMs: 100 }, isKilled: () => isKilled };
}

test('a child is found by what it has run, by one who asks, and is theirs then', () => {
  const children = new KeptChildren();
  const { kept, isKilled } = makeChild();
  children.keep('a', kept);
  assert.equal(children.take('b'), undefined);
  assert.equal(children.take('a'), kept);
  assert.equal(children.take('a'), undefined);
  children.close();
  assert.equal(isKilled(), false);
});

test('no more than two are kept: the one that was used longest ago goes', () => {
  const children = new KeptChildren();
  const [a, b, c] = [makeChild(), makeChild(), makeChild()];
  children.keep('a', a.kept);
  children.keep('b', b.kept);
  children.keep('a', children.take('a') ?? b.kept);
  children.keep('c', c.kept);
  assert.deepEqual(children.keys, ['a', 'c']);
  assert.deepEqual([a.isKilled(), b.isKilled(), c.isKilled()], [false, true, false]);
});

test('two that ran the same at once are not both kept', () => {
  const children = new KeptChildren();
  const [one, other] = [makeChild(), makeChild()];
  children.keep('a', one.kept);
  children.keep('a', other.kept);
  assert.equal(one.isKilled(), true);
  assert.equal(children.take('a'), other.kept);
});

test('one that died is not kept, and its successor stays', async () => {
  const children = new KeptChildren();
  const [one, other] = [makeChild(), makeChild()];
  children.keep('a', one.kept);
  one.die();
  await one.kept.child.ended;
  assert.deepEqual(children.keys, []);
  children.keep('a', other.kept);
  assert.deepEqual(children.keys, ['a']);
});

test('after close none is there', () => {
  const children = new KeptChildren();
  const { kept, isKilled } = makeChild();
  children.keep('a', kept);
  children.close();
  assert.deepEqual([children.keys, isKilled()], [[], true]);
});
