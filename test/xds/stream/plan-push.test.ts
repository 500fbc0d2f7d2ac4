import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EncodedResource } from '../../../src/model/resource.ts';
import type { Snapshot } from '../../../src/model/snapshot.ts';
import { XDS_TYPES } from '../../../src/model/type-url.ts';
import { subscribe } from '../../../src/xds/delta/subscription.ts';
import { planPush } from '../../../src/xds/stream/plan-push.ts';
import { answer, type Subscription, sent } from '../../../src/xds/stream/subscription.ts';
import { snapshotOf } from '../model/content.ts';

type Short = 'cds' | 'eds' | 'lds' | 'rds' | 'sds' | 'rtds';
const typeUrlOf = (short: Short): string => XDS_TYPES.find(type => type.short === short)!.typeUrl;

/** `{cds: 'a@1'}`: all that exists, by type. */
function snapshot(resources: Partial<Record<Short, string>>): Snapshot {
  const rows = Object.entries(resources).map(([short, text]): [string, Map<string, EncodedResource>] => {
    const typeUrl = typeUrlOf(short as Short);
    const named = text
      .split(' ')
      .filter(Boolean)
      .map((it): [string, EncodedResource] => {
        const [name = '', version = ''] = it.split('@');
        return [name, { typeUrl, name, version, any: new Uint8Array() }];
      });
    return [typeUrl, new Map(named)];
  });
  return { ...snapshotOf({ slots: new Map(), listeners: new Map() }), resources: new Map(rows) };
}

/** All types of one stream. */
class StreamStory {
  readonly types = new Map<string, Subscription>();
  held: readonly string[] = [];
  #nonce = 0;

  /** Envoy subscribes to everything of a type; `has` as `a@1`. */
  ask(short: Short, has = ''): this {
    const versions = has
      .split(' ')
      .filter(Boolean)
      .map(it => it.split('@') as [string, string]);
    const request = {
      form: 'delta' as const,
      node: undefined,
      typeUrl: typeUrlOf(short),
      subscribe: ['*'],
      unsubscribe: [],
      initialVersions: new Map(versions),
      responseNonce: '',
      errorDetail: undefined,
    };
    this.types.set(request.typeUrl, subscribe(request, false));
    return this;
  }

  /** Sends what is due: `cds a@1`, `lds -a`, `cds` for an empty greeting, or `nothing`. */
  push(snap: Snapshot): string {
    const { push } = planPush(this.#asked(), snap, it => !this.held.includes(it.name));
    if (push === undefined) return 'nothing';
    const { difference } = push;
    const { typeUrl } = push.asked;
    this.types.set(typeUrl, sent(this.types.get(typeUrl)!, difference, String(++this.#nonce), 0));
    const short = XDS_TYPES.find(type => type.typeUrl === typeUrl)!.short;
    const names = difference.resources.map(it => `${it.name}@${it.version}`);
    return [short, ...names, ...difference.removed.map(name => `-${name}`)].join(' ');
  }

  #asked() {
    return [...this.types].map(([typeUrl, state]) => ({ typeUrl, state }));
  }

  answer(short: Short, nack?: string): this {
    const state = this.types.get(typeUrlOf(short))!;
    this.types.set(typeUrlOf(short), answer(state, state.inFlight?.nonce ?? '', nack));
    return this;
  }

  clustersOut(snap: Snapshot): boolean {
    return planPush(this.#asked(), snap, () => true).clustersOut;
  }

  /** Pushes and ACKs until nothing is due. */
  settle(snap: Snapshot): string[] {
    const story: string[] = [];
    for (;;) {
      const pushed = this.push(snap);
      if (pushed === 'nothing') return story;
      story.push(pushed);
      this.answer(pushed.split(' ')[0] as Short);
    }
  }
}

const ALL = ['rtds', 'sds', 'rds', 'lds', 'eds', 'cds'] as const;

test('18. additions go out as clusters, endpoints, listeners, routes, secrets, runtimes, whatever was asked first', () => {
  const story = new StreamStory();
  for (const short of ALL) story.ask(short);
  const snap = snapshot(Object.fromEntries(ALL.map(short => [short, 'a@1'])));
  assert.deepEqual(story.settle(snap), ['cds a@1', 'eds a@1', 'lds a@1', 'rds a@1', 'sds a@1', 'rtds a@1']);
});

test('18. removals come last, in reverse', () => {
  const story = new StreamStory();
  for (const short of ALL) story.ask(short, 'old@1');
  const snap = snapshot(Object.fromEntries(ALL.map(short => [short, short === 'rds' ? 'new@1' : ''])));
  assert.deepEqual(story.settle(snap), [
    'rds new@1',
    'rtds -old',
    'sds -old',
    'rds -old',
    'lds -old',
    'eds -old',
    'cds -old',
  ]);
});

test('18. no type is sent ahead of an earlier one that is due but waits for its answer', () => {
  const story = new StreamStory().ask('cds').ask('lds');
  assert.equal(story.push(snapshot({ cds: 'a@1', lds: 'l@1' })), 'cds a@1');
  const changed = snapshot({ cds: 'a@2', lds: 'l@1' });
  assert.equal(story.push(changed), 'nothing');
  assert.equal(story.answer('cds').push(changed), 'cds a@2');
  assert.equal(story.answer('cds').push(changed), 'lds l@1');
});

test('18. a listener is not sent before Envoy answered for the clusters that it may name', () => {
  const story = new StreamStory().ask('cds').ask('lds');
  const snap = snapshot({ cds: 'a@1', lds: 'l@1' });
  assert.equal(story.push(snap), 'cds a@1');
  assert.equal(story.push(snap), 'nothing');
  assert.equal(story.answer('cds').push(snap), 'lds l@1');
});

test('18. endpoints and secrets do not wait for the answer to clusters, which Envoy gives when it has them', () => {
  const story = new StreamStory();
  for (const short of ['cds', 'eds', 'lds', 'sds'] as const) story.ask(short);
  const snap = snapshot({ cds: 'c@1', eds: 'c@1', lds: 'l@1', sds: 'k@1' });
  assert.deepEqual([story.push(snap), story.push(snap), story.push(snap)], ['cds c@1', 'eds c@1', 'sds k@1']);
  assert.equal(story.push(snap), 'nothing');
  const newer = snapshot({ cds: 'c@2', eds: 'c@2', lds: 'l@1', sds: 'k@2' });
  assert.equal(story.push(newer), 'nothing', 'one response of a type is out at most');
  story.answer('eds').answer('sds');
  assert.deepEqual([story.push(newer), story.push(newer)], ['sds k@2', 'nothing'], 'newer clusters go first');
  story.answer('sds').answer('cds');
  assert.deepEqual([story.push(newer), story.push(newer)], ['cds c@2', 'eds c@2']);
  assert.equal(story.answer('cds').answer('eds').push(newer), 'lds l@1');
});

test('18. what clusters that are out wait for goes out, also while newer clusters are due', () => {
  const story = new StreamStory().ask('cds', 'c@1').ask('eds', 'c@1 d@1');
  assert.equal(story.push(snapshot({ cds: 'c@2', eds: 'c@1 d@1' })), 'cds c@2');
  const eds = story.types.get(typeUrlOf('eds'))!;
  story.types.set(typeUrlOf('eds'), { ...eds, asked: new Set(['c']) });
  assert.equal(story.push(snapshot({ cds: 'c@3', eds: 'c@1 d@2' })), 'eds c@1');
});

test('42. that a name does not exist is told at once, not as what is taken away', () => {
  const story = new StreamStory().ask('cds').ask('eds', 'gone@1');
  const eds = story.types.get(typeUrlOf('eds'))!;
  story.types.set(typeUrlOf('eds'), { ...eds, asked: new Set(['missing']) });
  const snap = snapshot({ cds: 'c@1', eds: 'e@1' });
  assert.deepEqual([story.push(snap), story.push(snap)], ['cds c@1', 'eds e@1 -missing']);
  assert.equal(story.answer('eds').push(snap), 'nothing', 'clusters are not answered for');
  assert.equal(story.answer('cds').push(snap), 'eds -gone');
});

test('18. a type that changes does not wait for the answers of later types', () => {
  const story = new StreamStory().ask('cds', 'a@1').ask('lds');
  assert.equal(story.push(snapshot({ cds: 'a@1', lds: 'l@1' })), 'lds l@1');
  assert.equal(story.push(snapshot({ cds: 'a@2', lds: 'l@1' })), 'cds a@2');
});

test('18. no removal while an answer is open: the new must stand before the old goes', () => {
  const story = new StreamStory().ask('cds', 'old@1').ask('lds', 'l@1');
  const snap = snapshot({ cds: 'new@1', lds: 'l@2' });
  assert.deepEqual([story.push(snap), story.push(snap)], ['cds new@1', 'nothing']);
  assert.deepEqual([story.answer('cds').push(snap), story.push(snap)], ['lds l@2', 'nothing']);
  assert.equal(story.answer('lds').push(snap), 'cds -old');
});

test('33. the first request of a type that has nothing is answered, once', () => {
  const story = new StreamStory().ask('cds').ask('lds');
  assert.deepEqual(story.settle(snapshot({})), ['cds', 'lds']);
  assert.deepEqual(story.settle(snapshot({})), []);
});

test('33. a reconnect with everything as it stands is not answered', () => {
  const story = new StreamStory().ask('cds', 'a@1').ask('lds', 'l@1');
  assert.deepEqual(story.settle(snapshot({ cds: 'a@1', lds: 'l@1' })), []);
});

test("5. one response of a type is out at most, and one type's answer is not another's", () => {
  const story = new StreamStory().ask('cds').ask('lds');
  story.push(snapshot({ cds: 'a@1', lds: 'l@1' }));
  story.answer('cds').push(snapshot({ cds: 'a@1', lds: 'l@1' }));
  story.push(snapshot({ cds: 'a@2', lds: 'l@1' }));
  assert.equal(story.answer('lds').push(snapshot({ cds: 'a@3', lds: 'l@1' })), 'nothing');
  assert.equal(story.answer('cds').push(snapshot({ cds: 'a@3', lds: 'l@1' })), 'cds a@3');
});

test('44. a type that was refused does not stop the others', () => {
  const story = new StreamStory().ask('cds').ask('lds');
  const snap = snapshot({ cds: 'a@1', lds: 'l@1' });
  story.push(snap);
  story.answer('cds', 'a is bad');
  assert.equal(story.push(snap), 'lds l@1');
  assert.equal(story.answer('lds').push(snap), 'nothing');
});

test('7. a listener that is held back stops neither routes nor other listeners', () => {
  const story = new StreamStory().ask('lds').ask('rds');
  story.held = ['held'];
  assert.deepEqual(story.settle(snapshot({ lds: 'held@1 free@1', rds: 'r@1' })), ['lds free@1', 'rds r@1']);
  story.held = [];
  assert.deepEqual(story.settle(snapshot({ lds: 'held@1 free@1', rds: 'r@1' })), ['lds held@1']);
});

test('18. extension configs wait until Envoy answered for clusters and endpoints, not for listeners', () => {
  const story = new StreamStory().ask('cds').ask('eds').ask('lds');
  const snap = snapshot({ cds: 'a@1', eds: 'e@1', lds: 'l@1' });
  for (const short of ['cds', 'eds'] as const) {
    assert.equal(story.clustersOut(snap), false);
    story.push(snap);
    assert.equal(story.clustersOut(snap), false);
    story.answer(short);
  }
  assert.equal(story.clustersOut(snap), true);
});

test('extension configs do not wait for ever for a cluster that was refused', () => {
  const story = new StreamStory().ask('cds');
  story.push(snapshot({ cds: 'a@1' }));
  assert.equal(story.answer('cds', 'a is bad').clustersOut(snapshot({ cds: 'a@1' })), true);
});

test('extension configs do not wait for clusters that Envoy did not ask for', () => {
  assert.equal(new StreamStory().clustersOut(snapshot({ cds: 'a@1' })), true);
});
