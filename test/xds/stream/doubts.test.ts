/** What an Envoy says that it has, where it refused a response of several resources before. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NodePresence } from '../../../src/model/node.ts';
import { LISTENER_TYPE } from '../../../src/model/type-url.ts';
import { ProcessRegistry } from '../../../src/xds/process-registry.ts';
import { EVERY } from '../../../src/xds/stream/doubts.ts';
import { setVersionOf } from '../sotw/type-story.ts';
import { ManyStreamsStory, type OneStream } from './many-streams-story.ts';
import { NODE } from './session-story.ts';

const NACK = 'Error adding/updating listener(s) b: it is bad\n';

for (const form of ['delta', 'sotw'] as const) {
  /** It comes back, and says that it has what it accepted last. */
  const comeBack = (story: ManyStreamsStory, has: string): OneStream => {
    const items = has.split(' ').map(item => item.split('@') as [string, string]);
    const stream = story.open(form);
    return form === 'delta'
      ? stream.delta({ typeUrl: LISTENER_TYPE, initialVersions: new Map(items) })
      : stream.ask('lds', [], { version: setVersionOf(has) });
  };
  const accept = (story: ManyStreamsStory, listeners: string): OneStream => {
    const stream = story
      .exist({ resources: { lds: listeners } })
      .open(form)
      .ask('lds');
    assert.deepEqual(stream.settle(), [`lds ${listeners}`]);
    return stream;
  };

  test(`${form}: a good listener of a refused response is sent again where it is not wanted any more`, () => {
    const story = new ManyStreamsStory();
    const stream = accept(story, 'a@1 b@1');
    story.exist({ resources: { lds: 'a@2 b@2' } });
    const [push] = stream.take();
    stream.answer(push ?? assert.fail(), NACK).close();
    story.exist({ resources: { lds: 'a@1 b@1' } });
    const again = comeBack(story, 'a@1 b@1');
    assert.deepEqual(again.settle(), ['lds a@1 b@1']);
    again.close();
    assert.deepEqual(comeBack(story, 'a@1 b@1').settle(), [], 'once is enough');
  });

  test(`${form}: a listener that came with a refused one goes where it is not wanted any more`, () => {
    const story = new ManyStreamsStory();
    const stream = accept(story, 'b@1');
    story.exist({ resources: { lds: 'a@1 b@2' } });
    const [push] = stream.take();
    stream.answer(push ?? assert.fail(), NACK).close();
    story.exist({ resources: { lds: 'b@1' } });
    const came = comeBack(story, 'b@1').settle();
    assert.deepEqual(came, form === 'delta' ? ['lds b@1', 'lds -a'] : ['lds b@1']);
  });

  test(`${form}: what nobody answered any more is sent again`, () => {
    const story = new ManyStreamsStory();
    const stream = accept(story, 'a@1');
    story.exist({ resources: { lds: 'a@2' } });
    assert.equal(stream.take().length, 1);
    stream.close();
    story.exist({ resources: { lds: 'a@1' } });
    assert.deepEqual(comeBack(story, 'a@1').settle(), ['lds a@1']);
  });

  test(`${form}: what it says is believed otherwise`, () => {
    const story = new ManyStreamsStory();
    accept(story, 'a@1 b@1').close();
    assert.deepEqual(comeBack(story, 'a@1 b@1').settle(), []);
  });
}

test('after our own restart all of a type is in doubt of which something was refused', () => {
  const nack = { typeUrl: LISTENER_TYPE, name: 'b', version: '2', message: NACK, at: 1 };
  const presence: NodePresence = {
    ...{ node: NODE, process: '00000000000000aa', connected: false, since: 1, firstSeenAt: 1 },
    ...{ slots: [], nacks: [nack] },
  };
  const registry = new ProcessRegistry();
  registry.restore([presence], []);
  assert.deepEqual(registry.current(NODE.id)?.doubts, new Map([[LISTENER_TYPE, new Set([EVERY])]]));
});
