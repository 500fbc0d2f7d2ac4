/** Which listeners are taken to have served before they had a place: a first install lets requests through there. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LISTENER_TYPE } from '../../../src/model/type-url.ts';
import { setVersionOf } from '../sotw/type-story.ts';
import { ManyStreamsStory, type OneStream, type World } from './many-streams-story.ts';

const FORMS = ['delta', 'sotw'] as const;
const NACK = 'Error adding/updating listener(s) l: no such thing\n';
const WAITS = 'ecds s: warming a@1';
const GOES_ON = 'ecds s: verdict pass-through';

/** These listeners; `l` has a place for a plugin that is good nowhere yet. */
const withPlace = (lds: string): World => ({
  resources: { lds },
  slots: { s: 'a@1' },
  holds: { l: ['s'] },
});
const without = (lds: string): World => ({ resources: { lds } });

for (const form of FORMS) {
  /** It comes back, and says that it has these listeners; `` for none. */
  const comeBack = (story: ManyStreamsStory, has: string): OneStream => {
    const items = has.split(' ').filter(Boolean);
    const initialVersions = new Map(items.map(item => item.split('@') as [string, string]));
    const stream = story.open(form);
    return form === 'delta'
      ? stream.delta({ typeUrl: LISTENER_TYPE, initialVersions })
      : stream.ask('lds', [], { version: setVersionOf(has) });
  };
  /** The first answer of the place, once the listeners that are due went out. */
  const firstAnswer = (stream: OneStream, expected: string): string | undefined => {
    assert.deepEqual(stream.settle(), [`lds ${expected}`]);
    return stream.ask('ecds', ['s']).take()[0]?.text;
  };
  /** All but the last is accepted; that goes out, and is not answered. */
  const reach = (story: ManyStreamsStory, ...worlds: readonly World[]): OneStream => {
    const stream = story.open(form).ask('lds');
    for (const world of worlds.slice(0, -1)) {
      story.exist(world);
      stream.settle();
    }
    story.exist(worlds.at(-1) ?? assert.fail());
    return stream;
  };

  test(`${form}: a new listener whose stream breaks before Envoy has it waits for a first install`, () => {
    const story = new ManyStreamsStory();
    reach(story, without('k@1'), withPlace('k@1 l@1')).close();
    assert.equal(firstAnswer(comeBack(story, 'k@1'), form === 'delta' ? 'l@1' : 'k@1 l@1'), WAITS);
  });

  test(`${form}: so does one that Envoy had accepted, and nobody heard of it`, () => {
    const story = new ManyStreamsStory();
    reach(story, without('k@1'), withPlace('k@1 l@1')).close();
    assert.equal(firstAnswer(comeBack(story, 'k@1 l@1'), form === 'delta' ? 'l@1' : 'k@1 l@1'), WAITS);
  });

  test(`${form}: so does one that was refused on two streams, and is put right`, () => {
    const story = new ManyStreamsStory();
    const one = reach(story, without('k@1'), without('k@1 l@1'));
    one.answer(one.take()[0] ?? assert.fail(), NACK).close();
    const two = comeBack(story, 'k@1');
    two.answer(two.take()[0] ?? assert.fail(), NACK);
    story.exist(withPlace('k@1 l@2'));
    assert.equal(firstAnswer(two, form === 'delta' ? 'l@2' : 'k@1 l@2'), WAITS);
  });

  for (const [name, end] of [
    ['was not answered', undefined],
    ['was refused', NACK],
  ] as const)
    test(`${form}: one that serves goes on without the plugin, though a change of it ${name} before the stream broke`, () => {
      const story = new ManyStreamsStory();
      const one = reach(story, without('l@1'), without('l@2'));
      const [push] = one.take();
      if (end !== undefined) one.answer(push ?? assert.fail(), end);
      one.close();
      story.exist(withPlace('l@3'));
      assert.equal(firstAnswer(comeBack(story, 'l@1'), 'l@3'), GOES_ON);
    });

  test(`${form}: one that serves and gains a place on the stream goes on without the plugin`, () => {
    const story = new ManyStreamsStory();
    assert.equal(firstAnswer(reach(story, without('l@1'), withPlace('l@2')), 'l@2'), GOES_ON);
  });
}

for (const fresh of [true, false])
  test(`sotw: where nobody knows what an Envoy has (${fresh ? 'taken for new' : 'after our restart'}), a listener with a new place waits`, () => {
    const story = new ManyStreamsStory({ fresh }).exist(withPlace('k@1 l@1'));
    const stream = story.open('sotw').ask('lds', [], { version: 'of-before' });
    assert.deepEqual(stream.settle(), ['lds k@1 l@1']);
    assert.equal(stream.ask('ecds', ['s']).take()[0]?.text, WAITS);
  });
