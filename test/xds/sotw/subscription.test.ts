/** Names in the state of the world. Numbers as in the acceptance list. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settled, TypeStory } from './type-story.ts';

test('20. an empty first request of a wildcard type means everything, in one response', () => {
  assert.equal(new TypeStory().exist('a@1 b@1').send(), 'a@1 b@1');
});

test('20. with nothing there, it is answered all the same', () => {
  assert.deepEqual(new TypeStory().exist('').settle(), ['empty']);
});

test('21. a star means everything, alone or with names; without it the names remain', () => {
  for (const names of [['*'], ['*', 'a'], ['a', '*']]) {
    const story = new TypeStory({ names }).exist('a@1 b@1');
    assert.equal(story.send(), 'a@1 b@1');
    const isNew = !names.includes('a');
    assert.deepEqual(story.answer().name('a').settle(), isNew ? ['a@1'] : []);
    assert.deepEqual(story.exist('a@2 b@2').settle(), ['a@2']);
  }
});

test('21. an empty first request, then names: only the names', () => {
  const story = settled('a@1 b@1').name('a');
  assert.deepEqual(story.exist('a@2 b@2 c@1').settle(), ['a@2']);
});

test('21. names, then the star: everything', () => {
  const story = settled('a@1 b@1', { names: ['a'] }).name('a', '*');
  assert.deepEqual(story.settle(), ['a@1 b@1']);
});

test('a star that is given to a type without one means everything of it, and an empty answer is none', () => {
  const story = new TypeStory({ names: ['*'], form: 'part' });
  assert.deepEqual(story.exist('').settle(), []);
  assert.deepEqual(story.exist('a@1 b@1').settle(), ['a@1 b@1']);
});

test('20. an empty list goes on to mean everything as long as no name was given', () => {
  const story = settled('a@1').name().name();
  assert.deepEqual(story.exist('a@1 b@1').settle(), ['a@1 b@1']);
});

test('22. once a name was given, an empty list drops all: nothing more is sent', () => {
  for (const names of [['a'], ['*'], ['*', 'a']]) {
    const story = settled('a@1 b@1', { names }).name();
    assert.deepEqual(story.exist('a@2 b@2').settle(), [], names.join());
    assert.deepEqual(story.exist('').settle(), [], names.join());
  }
  const legacy = settled('a@1 b@1').name('a').name();
  assert.deepEqual(legacy.exist('a@2').settle(), []);
});

test('22. after that, a name and a star count again', () => {
  assert.deepEqual(
    settled('a@1 b@1', { names: ['a'] })
      .name()
      .name('b')
      .settle(),
    ['b@1'],
  );
  assert.deepEqual(
    settled('a@1 b@1', { names: ['a'] })
      .name()
      .name('*')
      .settle(),
    ['a@1 b@1'],
  );
});

test('23. an empty first request of another type subscribes to nothing', () => {
  assert.deepEqual(new TypeStory({ form: 'part' }).exist('a@1').settle(), []);
});

test('14. a name that does not exist is sent when it is created, in either kind of type', () => {
  const part = new TypeStory({ names: ['a'], form: 'part' }).exist('');
  assert.deepEqual(part.settle(), [], 'silence until then');
  assert.deepEqual(part.exist('a@1').settle(), ['a@1']);
  const set = new TypeStory({ names: ['a'] }).exist('b@1');
  assert.deepEqual(set.settle(), ['empty'], 'a set says what is not there, once');
  assert.deepEqual(set.exist('a@1 b@1').settle(), ['a@1']);
  const both = new TypeStory({ names: ['a', 'b'] }).exist('a@1');
  assert.deepEqual(both.settle(), ['a@1'], 'and be it with something else');
});

test('25. of other types only what changed is sent; what is gone is not told, and no empty response', () => {
  const story = settled('a@1 b@1', { names: ['a', 'b'], form: 'part' });
  assert.deepEqual(story.exist('a@1 b@2').settle(), ['b@2']);
  assert.deepEqual(story.exist('b@2').settle(), []);
  assert.deepEqual(story.exist('').settle(), []);
});

test('27. a new name is answered with it at least, be it unchanged: in a set with all others', () => {
  assert.deepEqual(
    settled('a@1 b@1', { names: ['a'], form: 'part' })
      .name('a', 'b')
      .settle(),
    ['b@1'],
  );
  assert.deepEqual(
    settled('a@1 b@1', { names: ['a'] })
      .name('a', 'b')
      .settle(),
    ['a@1 b@1'],
  );
  assert.deepEqual(settled('a@1 b@1').name('*', 'a').settle(), ['a@1 b@1']);
});

test('28. a name dropped and given again is sent again, though unchanged', () => {
  for (const form of ['part', 'set'] as const) {
    const story = settled('a@1 b@1', { names: ['a', 'b'], form })
      .name('b')
      .name('a', 'b');
    assert.deepEqual(story.settle(), [form === 'part' ? 'a@1' : 'a@1 b@1'], form);
  }
});

test('11. a name dropped beside the star gets silence: all of it is there still', () => {
  assert.deepEqual(
    settled('a@1 b@1', { names: ['*', 'a'] })
      .name('*')
      .settle(),
    [],
  );
});

test('26. names of a request with a stale nonce count at once; the answer waits for the current one', () => {
  const story = settled('a@1 b@1', { names: ['a'], form: 'part' }).exist('a@2 b@1');
  assert.equal(story.send(), 'a@2');
  story.answer(undefined, 'stale').name('a', 'b');
  assert.equal(story.send(), undefined);
  assert.equal(story.answer().send(), 'b@1');
});

test('29. of several requests before a response the newest counts', () => {
  const story = new TypeStory({ names: ['a'], form: 'part' }).name('a', 'b').name('c');
  assert.deepEqual(story.exist('a@1 b@1 c@1').settle(), ['c@1']);
});

test('a name that is dropped while its resource is out is not had, and sent when it is given again', () => {
  const story = new TypeStory({ names: ['a', 'b'] }).exist('a@1 b@1');
  story.send();
  story.name('a').answer();
  assert.deepEqual([...story.state.has.keys()], ['a']);
  assert.deepEqual(story.name('*').settle(), ['a@1 b@1']);
});

test('31. on a new stream a name is answered, whatever version the client brings', () => {
  const version = 'whatever';
  const part = new TypeStory({ names: ['a'], form: 'part', version }).exist('a@1');
  assert.deepEqual(part.settle(), ['a@1']);
  assert.deepEqual(new TypeStory({ names: ['a'], version }).exist('a@1 b@1').settle(), ['a@1']);
});
