/** Sets: what is in one, what it is called, and what a client has that brings such a name. Numbers as in the list. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { toSetVersion } from '../../../src/xds/sotw/resource-set.ts';
import { settled, setVersionOf, TypeStory, toResources } from './type-story.ts';

test('24. each response is the whole set: what changed, what did not, and not what is gone', () => {
  const story = settled('a@1 b@1 c@1');
  assert.deepEqual(story.exist('a@1 b@2 c@1').settle(), ['a@1 b@2 c@1']);
  assert.deepEqual(story.exist('a@1').settle(), ['a@1']);
  assert.deepEqual(story.exist('').settle(), ['empty']);
  assert.deepEqual(story.exist('a@1').settle(), ['a@1']);
});

test('18. what is gone stays in the set until what is new has been accepted', () => {
  const story = settled('old@1').exist('new@1');
  assert.equal(story.send(), 'new@1 old@1');
  assert.equal(story.send(), undefined);
  assert.equal(story.answer().send(), 'new@1');
});

test('12. equal content is not sent again', () => {
  assert.deepEqual(settled('a@1 b@1').exist('b@1 a@1').settle(), []);
});

test('7. what is held back stays in the bytes that the client has, while the others change', () => {
  const story = settled('a@1 b@1');
  story.held.add('a');
  assert.deepEqual(story.exist('a@2 b@2').settle(), ['a@1 b@2']);
  assert.deepEqual(story.exist('a@2').settle(), ['a@1'], 'also when another is removed');
  story.held.clear();
  assert.deepEqual(story.settle(), ['a@2']);
});

test('7. what is held back and new is not there yet', () => {
  const story = settled('a@1');
  story.held.add('b');
  assert.deepEqual(story.exist('a@2 b@1').settle(), ['a@2']);
});

test('8. what was refused stays in the bytes that the client has; Envoy applies the others of the set', () => {
  const story = settled('a@1 b@1 c@1').exist('a@2 b@2 c@1');
  assert.equal(story.send(), 'a@2 b@2 c@1');
  story.answer('Error adding/updating cluster(s) b: bad');
  assert.deepEqual(story.refused(), ['b@2']);
  assert.equal(story.send(), undefined);
  assert.deepEqual(story.exist('a@2 b@2 c@2').settle(), ['a@2 b@1 c@2']);
});

test('8. what was refused and never there is left out', () => {
  const story = settled('a@1').exist('a@1 b@1');
  story.send();
  story.answer('Error adding/updating cluster(s) b: bad');
  assert.deepEqual(story.exist('a@2 b@1').settle(), ['a@2']);
  assert.deepEqual(story.refused(), ['b@1']);
});

test('9. its next version is sent with the whole set, and its ACK ends the refusal', () => {
  const story = settled('a@1 b@1').exist('a@1 b@2');
  story.send();
  story.answer('Error adding/updating cluster(s) b: bad');
  assert.deepEqual(story.exist('a@1 b@3').settle(), ['a@1 b@3']);
  assert.deepEqual(story.refused(), []);
});

test('9. its return to what the client has ends it silently', () => {
  const story = settled('a@1 b@1').exist('a@1 b@2');
  story.send();
  story.answer('Error adding/updating cluster(s) b: bad');
  assert.deepEqual(story.exist('a@1 b@1').settle(), []);
});

test('24. what was refused and is deleted is gone from the set, once', () => {
  const had = settled('a@1 b@1').exist('a@1 b@2');
  had.send();
  had.answer('Error adding/updating cluster(s) b: bad');
  assert.deepEqual(had.exist('a@1').settle(), ['a@1']);
  assert.deepEqual(had.refused(), []);
  const never = settled('a@1').exist('a@1 b@1');
  never.send();
  never.answer('no name in it');
  assert.deepEqual(never.exist('a@1').settle(), ['a@1']);
});

test('8. a set that only removes and is refused is not sent again: Envoy has removed', () => {
  const story = settled('a@1 b@1').exist('a@1');
  assert.equal(story.send(), 'a@1');
  story.answer('no');
  assert.equal(story.send(), undefined);
  assert.deepEqual(story.refused(), ['b@']);
  assert.deepEqual(story.exist('a@2').settle(), ['a@2'], 'nor does it come back');
  assert.deepEqual(story.exist('a@2 b@1').settle(), ['a@2 b@1']);
  assert.deepEqual(story.refused(), []);
});

test('8. a set that is refused over what was in it before does not blame what is new', () => {
  const story = new TypeStory({ version: 'other' }).exist('a@1 b@1');
  story.send();
  story.answer('Error adding/updating cluster(s) b: bad');
  assert.equal(story.exist('a@2 b@1').send(), 'a@2 b@1', 'left out, b would be gone from where it was');
  story.answer('Error adding/updating cluster(s) b: bad');
  assert.deepEqual(story.refused(), ['b@1']);
  assert.equal(story.send(), undefined);
});

test('31. a client that brings the version of what there is gets nothing', () => {
  const story = new TypeStory({ version: setVersionOf('a@1 b@1') }).exist('a@1 b@1');
  assert.deepEqual(story.settle(), []);
  story.held.add('a');
  assert.deepEqual(story.exist('a@2 b@2').settle(), ['a@1 b@2'], 'and its bytes are known');
});

test('31. a client that brings another version gets the whole set, the empty one too', () => {
  for (const exist of ['a@1 b@2', ''])
    assert.deepEqual(new TypeStory({ version: setVersionOf('a@1 b@1') }).exist(exist).settle(), [
      exist || 'empty',
    ]);
});

test('18, 31. who comes back with what it had when its stream ended: what is gone meanwhile goes last', () => {
  const former = settled('a@1 b@1');
  const story = new TypeStory({ version: setVersionOf('a@1 b@1'), former });
  assert.deepEqual(story.exist('a@1 c@1').settle(), ['a@1 b@1 c@1', 'a@1 c@1']);
  const other = new TypeStory({ version: setVersionOf('a@7'), former });
  assert.deepEqual(other.exist('a@1 c@1').settle(), ['a@1 c@1'], 'not with anything else');
});

test('7, 31. and what is held back stays as it was', () => {
  const story = new TypeStory({ version: setVersionOf('a@1 b@1'), former: settled('a@1 b@1') });
  story.held.add('a');
  assert.deepEqual(story.exist('a@2 b@2').settle(), ['a@1 b@2']);
});

test('31. what a former stream had is not known where it was refused in bytes that nobody knows', () => {
  const former = new TypeStory({ version: 'other' }).exist('a@1');
  former.send();
  former.answer('Error adding/updating cluster(s) a: bad');
  const story = new TypeStory({ version: setVersionOf('a@1'), former });
  assert.deepEqual(story.exist('b@1').settle(), ['b@1']);
});

test('31. what the version means is seen when the resources come, not before', () => {
  const story = new TypeStory({ version: setVersionOf('a@1') });
  story.exist('a@1');
  assert.deepEqual(story.settle(), []);
});

test('7. no set goes out that would have to hold what must not change in bytes that nobody knows', () => {
  const story = new TypeStory({ version: 'other' }).exist('a@2 b@2');
  story.held.add('a');
  assert.equal(story.send(), undefined);
  story.held.clear();
  assert.deepEqual(story.settle(), ['a@2 b@2']);
});

test('30. the version of a set is that of its content, whatever the order', () => {
  const items = fc.uniqueArray(fc.record({ name: fc.string({ minLength: 1 }), version: fc.string() }), {
    selector: it => it.name,
  });
  fc.assert(
    fc.property(items, fc.infiniteStream(fc.nat()), (set, order) => {
      const shuffled = set
        .map(it => ({ it, at: order.next().value }))
        .sort((a, b) => a.at - b.at)
        .map(({ it }) => it);
      assert.equal(toSetVersion(shuffled), toSetVersion(set));
    }),
  );
  const versions = ['', 'a@1', 'a@2', 'b@1', 'a@1 b@1'].map(setVersionOf);
  assert.equal(new Set(versions).size, versions.length);
  assert.ok(versions.every(Boolean), 'the empty set has a version too');
});

test('13. no name comes twice, and a set has the order of its names', () => {
  const story = new TypeStory({ names: ['*', 'b', 'a', 'b'] });
  story.resources = toResources('b@1 a@1');
  assert.equal(story.send(), 'a@1 b@1');
});
