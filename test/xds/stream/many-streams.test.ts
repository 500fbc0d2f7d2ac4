/** Several streams of one Envoy, in either form: what they share, and what they do not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { refusalOf } from '../push/slot-story.ts';
import { ManyStreamsStory, typeUrlOf } from './many-streams-story.ts';

const FORMS = ['delta', 'sotw'] as const;

for (const form of FORMS) {
  test(`${form}: what is new goes out as on one stream: no listener before the clusters are answered`, () => {
    const story = new ManyStreamsStory();
    const [lds, cds] = [story.open(form, 'lds'), story.open(form, 'cds')];
    cds.ask('cds');
    lds.ask('lds');
    story.exist({ resources: { cds: 'c@1', lds: 'l@1' } });
    assert.deepEqual(lds.take(), []);
    assert.deepEqual(cds.settle(), ['cds c@1']);
    assert.deepEqual(lds.settle(), ['lds l@1']);
  });

  test(`${form}: what is gone goes last, in reverse, over all streams`, () => {
    const story = new ManyStreamsStory().exist({ resources: { cds: 'old@1', lds: 'old@1' } });
    const [lds, cds] = [story.open(form, 'lds'), story.open(form, 'cds')];
    const settle = (): readonly string[] => [...cds.settle(), ...lds.settle(), ...cds.settle()];
    cds.ask('cds');
    lds.ask('lds');
    settle();
    story.exist({ resources: { cds: 'new@1', lds: 'new@1' } });
    const isSet = form === 'sotw';
    assert.deepEqual(cds.settle(), [isSet ? 'cds new@1 old@1' : 'cds new@1']);
    assert.deepEqual(lds.settle(), isSet ? ['lds new@1 old@1', 'lds new@1'] : ['lds new@1', 'lds -old']);
    assert.deepEqual(cds.settle(), [isSet ? 'cds new@1' : 'cds -old']);
  });

  test(`${form}: streams of one type do not wait for each other`, () => {
    const story = new ManyStreamsStory().exist({ resources: { eds: 'a@1 b@1', rds: 'r@1' } });
    const slow = story.open(form, 'eds').ask('eds', ['a']);
    assert.equal(slow.take().length, 1);
    const other = story.open(form, 'eds').ask('eds', ['b']);
    assert.deepEqual(other.settle(), ['eds b@1']);
  });

  test(`${form}: one extension config at a time, over all streams`, () => {
    const story = new ManyStreamsStory().exist({ slots: { s: 'a@1', u: 'b@1' } });
    const one = story.open(form, 'ecds').ask('ecds', ['s']);
    const two = story.open(form, 'ecds').ask('ecds', ['u']);
    const [push] = one.take();
    assert.deepEqual(two.take(), []);
    two.answer(push ?? assert.fail(), refusalOf('a'));
    assert.deepEqual(two.take(), [], 'another stream does not answer for it');
    one.answer(push ?? assert.fail());
    assert.deepEqual(two.settle(), ['ecds u: verdict b@1']);
  });

  test(`${form}: the end of one stream leaves the others, and what was out on it goes nowhere`, () => {
    const story = new ManyStreamsStory().exist({ slots: { s: 'a@1', u: 'b@1' } });
    const one = story.open(form, 'ecds').ask('ecds', ['s']);
    const two = story.open(form, 'ecds').ask('ecds', ['u']);
    assert.equal(one.take().length, 1);
    one.close();
    assert.deepEqual(two.settle(), ['ecds u: verdict b@1']);
    const again = story.open(form, 'ecds').ask('ecds', ['s']);
    assert.deepEqual(again.settle(), ['ecds s: verdict a@1']);
  });

  test(`${form}: a place that is asked for on two streams is served on the newer one, and stays when either ends`, () => {
    const story = new ManyStreamsStory().exist({ slots: { s: 'a@1' } });
    const older = story.open(form, 'ecds').ask('ecds', ['s']);
    older.settle();
    const newer = story.open(form, 'ecds').ask('ecds', ['s']);
    assert.deepEqual([older.settle(), newer.settle()], [[], ['ecds s: verdict a@1']]);
    older.close();
    story.clock.run(20_000);
    story.exist({ slots: { s: 'a@2' } });
    assert.deepEqual(newer.settle(), ['ecds s: verdict a@2']);
    const newest = story.open(form, 'ecds').ask('ecds', ['s']);
    assert.equal(newest.take().length, 1);
    newest.close();
    assert.deepEqual(newer.settle(), ['ecds s: verdict a@2'], 'what it has then is not known');
  });

  for (const which of ['older', 'newer'] as const)
    test(`${form}: a place that is asked for on two streams stays when the ${which} one lets go of it`, () => {
      const story = new ManyStreamsStory().exist({ slots: { s: 'a@1' } });
      const streams = { older: story.open(form, 'ecds'), newer: story.open(form, 'ecds') };
      for (const stream of [streams.older, streams.newer]) {
        stream.ask('ecds', ['s']);
        stream.settle();
      }
      const stays = which === 'older' ? streams.newer : streams.older;
      if (form === 'sotw') streams[which].ask('ecds', [], { version: streams[which].versionInfo });
      else streams[which].delta({ typeUrl: typeUrlOf('ecds'), unsubscribe: ['s'] });
      const again = which === 'older' ? [] : ['ecds s: verdict a@1'];
      assert.deepEqual(stays.settle(), again, 'what it has on an older one is not known');
      streams[which].close();
      story.clock.run(20_000);
      story.exist({ slots: { s: 'a@2' } });
      assert.deepEqual(stays.settle(), ['ecds s: verdict a@2']);
    });

  test(`${form}: what was out on the older of two streams does not stay out when it ends`, () => {
    const story = new ManyStreamsStory().exist({ slots: { s: 'a@1' } });
    const older = story.open(form, 'ecds').ask('ecds', ['s']);
    assert.equal(older.take().length, 1);
    const newer = story.open(form, 'ecds').ask('ecds', ['s']);
    older.close();
    assert.deepEqual(newer.settle(), ['ecds s: verdict a@1']);
  });

  test(`${form}: a place whose stream ended is let go if it does not come back within ten seconds`, () => {
    const story = new ManyStreamsStory().exist({ slots: { s: 'a@1', u: 'b@1' } });
    const one = story.open(form, 'ecds').ask('ecds', ['s']);
    const two = story.open(form, 'ecds').ask('ecds', ['u']);
    one.settle();
    two.settle();
    one.close();
    story.clock.run(9_999);
    assert.deepEqual([...story.process.state.slots.keys()], ['s', 'u']);
    story.clock.run(2);
    assert.deepEqual([...story.process.state.slots.keys()], ['u']);
  });

  test(`${form}: a listener is not held for ever by a place whose stream ended unanswered`, () => {
    const world = { slots: { s: 'a@1' }, holds: { l: ['s'] } };
    const story = new ManyStreamsStory().exist({ ...world, resources: { lds: 'l@1' } });
    const lds = story.open(form, 'lds').ask('lds');
    lds.settle();
    const place = story.open(form, 'ecds').ask('ecds', ['s']);
    assert.equal(place.take().length, 1);
    place.close();
    story.exist({ ...world, resources: { lds: 'l@2' } });
    assert.deepEqual(lds.take(), []);
    story.clock.run(10_001);
    assert.deepEqual(lds.settle(), ['lds l@2']);
  });

  test(`${form}: an answered place of a bootstrap does not make its neighbour late: it may still warm`, () => {
    const story = new ManyStreamsStory({ denies: true }).exist({ slots: { s: '', u: 'b@1' } });
    const stream = story.open(form).ask('ecds', ['s']);
    assert.deepEqual(stream.settle(), ['ecds s: verdict pass-through']);
    stream.ask('ecds', form === 'delta' ? ['u'] : ['s', 'u'], { version: stream.versionInfo });
    assert.deepEqual(
      stream.take().map(({ text }) => text),
      ['ecds u: warming b@1'],
    );
    assert.equal(story.process.state.fresh, true);
  });

  test(`${form}: an ACK that is faster than whoever sent what it answers is an ACK`, () => {
    const story = new ManyStreamsStory();
    const stream = story.openInstant(form).ask('cds').ask('lds').ask('ecds', ['s']);
    story.exist({ resources: { cds: 'c@1', lds: 'l@1' }, slots: { s: 'a@1' } });
    const texts = (): readonly string[] => stream.take().map(({ text }) => text);
    assert.deepEqual(texts(), ['cds c@1', 'lds l@1', 'ecds s: verdict a@1']);
    story.exist({ resources: { cds: 'c@2', lds: 'l@2' }, slots: { s: 'a@2' } });
    assert.deepEqual(texts(), ['cds c@2', 'lds l@2', 'ecds s: verdict a@2']);
    story.clock.run(60_000);
    assert.deepEqual(texts(), []);
  });

  test(`${form}: endpoints are sent again when their cluster is: it waits for them, changed or not`, () => {
    const world = { eds: ['c', 'd'] };
    const story = new ManyStreamsStory().exist({
      ...world,
      resources: { cds: 'c@1 d@1 e@1', eds: 'c@1 d@1' },
    });
    const stream = story.open(form).ask('cds').ask('eds', ['c', 'd']);
    assert.deepEqual(stream.settle(), ['cds c@1 d@1 e@1', 'eds c@1 d@1']);
    story.exist({ ...world, resources: { cds: 'c@2 d@1 e@1', eds: 'c@1 d@1' } });
    const [cds = '', eds, ...more] = stream.settle();
    assert.match(cds, /c@2/);
    assert.deepEqual([eds, more], ['eds c@1', []]);
    story.exist({ ...world, resources: { cds: 'c@2 d@1 e@2', eds: 'c@1 d@1' } });
    assert.equal(stream.settle().length, 1, 'not for a cluster of another type');
  });

  test(`${form}: so they are when they are asked for only after that`, () => {
    const world = { eds: ['c'], resources: { cds: 'c@2', eds: 'c@1' } };
    const story = new ManyStreamsStory({ fresh: false }).exist(world);
    const stream = story.open(form);
    if (form === 'delta') stream.delta({ typeUrl: typeUrlOf('cds'), initialVersions: new Map([['c', '1']]) });
    else stream.ask('cds', [], { version: 'other' });
    assert.deepEqual(stream.settle(), ['cds c@2']);
    const versions = new Map([['c', '1']]);
    if (form === 'delta')
      stream.delta({ typeUrl: typeUrlOf('eds'), subscribe: ['c'], initialVersions: versions });
    else stream.ask('eds', ['c'], { version: 'any' });
    assert.deepEqual(stream.settle(), ['eds c@1']);
  });

  test(`${form}: a star asks for no place`, () => {
    const story = new ManyStreamsStory().exist({ slots: { s: 'a@1' } });
    assert.deepEqual(story.open(form).ask('ecds', ['*']).settle(), []);
  });
}

test('sotw: what is held back does not stop what it waits for, when nobody knows its bytes', () => {
  const world = { slots: { s: 'a@2' }, holds: { held: ['s'] } };
  const story = new ManyStreamsStory().exist({ ...world, resources: { lds: 'held@1' } });
  const first = story.open('sotw').ask('lds');
  first.settle();
  first.ask('ecds', ['s']);
  assert.equal(first.take().length, 1);
  first.close();
  // It comes back with a set that we do not know, and its place has something out that was not answered.
  const again = story.open('sotw').ask('ecds', ['s']);
  const [push] = again.take();
  again.ask('lds', [], { version: 'of another time' });
  story.exist({ ...world, resources: { lds: 'held@2 free@1' } });
  assert.deepEqual(again.take(), []);
  again.answer(push ?? assert.fail());
  assert.deepEqual(again.settle(), ['lds free@1 held@2']);
});

test('sotw: a place that was dropped is no part of what its version stands for', () => {
  const story = new ManyStreamsStory().exist({ slots: { s: 'a@1', u: 'b@1' } });
  const stream = story.open('sotw').ask('ecds', ['s', 'u']);
  stream.settle();
  const version = stream.versionInfo;
  stream.close();
  const second = story.open('sotw').ask('ecds', ['s', 'u'], { version });
  assert.deepEqual(second.settle(), [], 'everything stands');
  second.ask('ecds', ['s'], { version }).close();
  const third = story.open('sotw').ask('ecds', ['s', 'u'], { version });
  assert.deepEqual(third.settle(), ['ecds u: verdict b@1']);
});

test('sotw: nor is one that was dropped while its push was out', () => {
  const story = new ManyStreamsStory().exist({ slots: { s: 'a@1', u: 'b@1' } });
  const stream = story.open('sotw').ask('ecds', ['s', 'u']);
  stream.settle();
  const before = stream.versionInfo;
  story.exist({ slots: { s: 'a@1', u: 'b@2' } });
  const [push] = stream.take();
  stream.ask('ecds', ['s'], { version: before });
  stream.answer(push ?? assert.fail()).close();
  const again = story.open('sotw').ask('ecds', ['s', 'u'], { version: stream.versionInfo });
  assert.deepEqual(again.settle(), ['ecds u: verdict b@2']);
});
