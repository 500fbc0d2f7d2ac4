import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EncodedResource } from '../../../src/model/resource.ts';
import type { DeltaRequest } from '../../../src/xds/delta/messages.ts';
import * as delta from '../../../src/xds/delta/subscription.ts';
import * as subscription from '../../../src/xds/stream/subscription.ts';

const TYPE = 'type.googleapis.com/envoy.config.cluster.v3.Cluster';

function request(fields: {
  subscribe?: readonly string[];
  unsubscribe?: readonly string[];
  has?: Record<string, string>;
}): DeltaRequest {
  return {
    form: 'delta',
    node: undefined,
    typeUrl: TYPE,
    subscribe: fields.subscribe ?? [],
    unsubscribe: fields.unsubscribe ?? [],
    initialVersions: new Map(Object.entries(fields.has ?? {})),
    responseNonce: '',
    errorDetail: undefined,
  };
}

/** One type on one stream: what would go out now, as `a@1 b@2 -c`. */
class TypeStory {
  state: subscription.Subscription;
  resources = new Map<string, EncodedResource>();
  held = new Set<string>();
  #nonce = 0;

  constructor(first: Parameters<typeof request>[0], options: { wildcardType?: boolean } = {}) {
    this.state = delta.subscribe(request(first), options.wildcardType ?? true);
  }

  /** `a@1 b@2`: all that exists from now on. */
  exist(text: string): this {
    this.resources = new Map(
      text
        .split(' ')
        .filter(Boolean)
        .map(it => it.split('@'))
        .map(([name = '', version = '']) => [name, { typeUrl: TYPE, name, version, any: new Uint8Array() }]),
    );
    return this;
  }

  change(fields: Parameters<typeof request>[0]): this {
    this.state = delta.rename(this.state, request(fields));
    return this;
  }

  /** What is due, without sending it. */
  get due(): string {
    const difference = subscription.diff(this.state, this.resources, it => !this.held.has(it.name));
    return [
      ...difference.resources.map(it => `${it.name}@${it.version}`),
      ...[...difference.removed, ...difference.missing].map(name => `-${name}`),
    ].join(' ');
  }

  send(): string {
    const { due } = this;
    const difference = subscription.diff(this.state, this.resources, it => !this.held.has(it.name));
    const removed = [...difference.removed, ...difference.missing];
    this.state = subscription.sent(this.state, { ...difference, removed }, String(++this.#nonce), 0);
    return due;
  }

  answer(nack?: string, nonce = String(this.#nonce)): this {
    this.state = subscription.answer(this.state, nonce, nack);
    return this;
  }

  refused(): Record<string, string> {
    return Object.fromEntries(
      [...this.state.refused].map(([name, it]) => [name, `${it.version}: ${it.message}`]),
    );
  }
}

const settled = (first: Parameters<typeof request>[0], exist: string): TypeStory => {
  const story = new TypeStory(first).exist(exist);
  story.send();
  return story.answer();
};

test('20, 33. an empty first request of a wildcard type means everything', () => {
  assert.equal(new TypeStory({}).exist('a@1 b@1').due, 'a@1 b@1');
  assert.equal(new TypeStory({}).state.owesGreeting, true);
});

test('23. an empty first request of another type subscribes to nothing', () => {
  assert.equal(new TypeStory({}, { wildcardType: false }).exist('a@1').due, '');
});

test('21. a star means everything, alone or with names', () => {
  for (const subscribe of [['*'], ['*', 'a'], ['a', '*']])
    for (const wildcardType of [true, false])
      assert.equal(new TypeStory({ subscribe }, { wildcardType }).exist('a@1 b@1').due, 'a@1 b@1');
});

test('names mean these names, in a wildcard type as well', () => {
  assert.equal(new TypeStory({ subscribe: ['b'] }).exist('a@1 b@1').due, 'b@1');
});

test('11, 12. what was ACKed is not due again, nor is a rewrite with equal bytes', () => {
  const story = settled({}, 'a@1 b@1');
  assert.equal(story.due, '');
  assert.equal(story.exist('a@1 b@1').due, '');
});

test('32. only what changed is due, and what is gone is removed', () => {
  const story = settled({}, 'a@1 b@1 c@1');
  assert.equal(story.exist('a@1 b@2').due, 'b@2 -c');
  story.send();
  assert.equal(story.answer().due, '');
});

test('34. versions that Envoy brings are not due again; others are, and what is gone is removed', () => {
  const story = new TypeStory({ has: { a: '1', b: '1', c: '1' } }).exist('a@1 b@2 d@1');
  assert.equal(story.due, 'b@2 d@1 -c');
  assert.equal(story.state.owesGreeting, false);
});

test('35. versions alone are no subscription, unless everything is subscribed', () => {
  const named = new TypeStory({ subscribe: ['a'], has: { b: '1' } }).exist('a@1 b@2');
  assert.equal(named.due, 'a@1');
  assert.equal(new TypeStory({ has: { b: '1' } }, { wildcardType: false }).exist('b@2').due, '');
});

test('36. a name subscribed again is due again, though unchanged', () => {
  const story = settled({ subscribe: ['a', 'b'] }, 'a@1 b@1');
  assert.equal(story.change({ subscribe: ['a'] }).due, 'a@1');
});

test('37. unsubscribing needs no answer, an unknown name is harmless, and later changes are not due', () => {
  const story = settled({ subscribe: ['a', 'b'] }, 'a@1 b@1');
  assert.equal(story.change({ unsubscribe: ['a', 'never'] }).due, '');
  assert.equal(story.exist('a@2 b@1').due, '');
  assert.equal(story.exist('b@1').due, '', 'nor is a removal');
  assert.equal(story.exist('a@2 b@2').due, 'b@2');
});

test('38. everything and a name, then without the name: answered with the resource, or as removed', () => {
  const exists = settled({ subscribe: ['*', 'a'] }, 'a@1 b@1');
  assert.equal(exists.change({ unsubscribe: ['a'] }).due, 'a@1');
  const gone = settled({ subscribe: ['*', 'a'] }, 'b@1');
  assert.equal(gone.change({ unsubscribe: ['a'] }).due, '-a');
});

test('39. the star can be unsubscribed alone; the names stay', () => {
  const story = settled({ subscribe: ['*', 'a'] }, 'a@1 b@1').change({ unsubscribe: ['*'] });
  assert.equal(story.exist('a@2 b@2').due, 'a@2');
});

test('40. the empty first request, then names: everything and the names', () => {
  const story = settled({}, 'a@1').change({ subscribe: ['b'] });
  assert.equal(story.exist('a@2 b@1').due, 'a@2 b@1');
  story.send();
  assert.equal(
    story
      .answer()
      .change({ unsubscribe: ['*'] })
      .exist('a@3 b@2').due,
    'b@2',
  );
});

test('42, 14. a name that does not exist is removed once, and due when it is created', () => {
  const story = new TypeStory({ subscribe: ['a'] }, { wildcardType: false });
  assert.equal(story.send(), '-a');
  assert.equal(story.answer().due, '');
  assert.equal(story.exist('a@1').due, 'a@1');
});

test('28. a name dropped and added again is due again, even if unchanged', () => {
  const story = settled({ subscribe: ['a', 'b'] }, 'a@1 b@1');
  assert.equal(story.change({ unsubscribe: ['a'] }).change({ subscribe: ['a'] }).due, 'a@1');
});

test('41, 10. names change whatever the nonce of the request was', () => {
  const story = settled({ subscribe: ['a'] }, 'a@1 b@1');
  story.exist('a@2 b@1').send();
  story.answer('bad', 'stale').change({ subscribe: ['b'], unsubscribe: ['a'] });
  assert.notEqual(story.state.inFlight, undefined);
  assert.equal(story.answer('bad').due, 'b@1');
});

test('a stale nonce, and one of a former stream, answers nothing', () => {
  const story = new TypeStory({}).exist('a@1');
  story.send();
  for (const nonce of ['', '0', '7']) {
    const before = story.state;
    assert.equal(story.answer(undefined, nonce).state, before);
    assert.equal(story.answer('bad', nonce).state, before);
  }
});

test('7, 8. what was refused is recorded and not due again with the same version', () => {
  const story = settled({}, 'a@1').exist('a@2');
  story.send();
  story.answer('a is bad');
  assert.equal(story.due, '');
  assert.deepEqual(story.refused(), { a: '2: a is bad' });
});

test('7. an empty error text is a NACK as well', () => {
  const story = settled({}, 'a@1').exist('a@2');
  story.send();
  assert.equal(story.answer('').due, '');
  assert.deepEqual(story.refused(), { a: '2: ' });
});

test('9. after a NACK the next version is due, and its ACK clears the record', () => {
  const story = settled({}, 'a@1').exist('a@2');
  story.send();
  assert.equal(story.answer('a is bad').exist('a@3').due, 'a@3');
  story.send();
  assert.deepEqual(story.answer().refused(), {});
});

test('9. after a NACK the version that Envoy still has is not due; its return ends the refusal', () => {
  const story = settled({}, 'a@1').exist('a@2');
  story.send();
  assert.equal(story.answer('a is bad').exist('a@1').due, '');
});

test('44. of a response the named resource is refused, the others count as applied', () => {
  const story = new TypeStory({}).exist('alpha@1 beta@1');
  story.send();
  story.answer('Error adding/updating listener(s) beta: no such cluster');
  assert.equal(story.due, '');
  assert.deepEqual(Object.keys(story.refused()), ['beta']);
  assert.equal(story.exist('alpha@2 beta@1').due, 'alpha@2');
  assert.equal(story.exist('alpha@1 beta@2').due, 'beta@2');
});

test('44. a name that is part of a word or of the reason is not the refused one', () => {
  const table: readonly [string, readonly string[]][] = [
    ['Error adding/updating listener(s) ingress: no cluster http', ['ingress']],
    ['Error adding/updating listener(s) ingress: bad\nin: bad\n', ['in', 'ingress']],
    ['Error adding/updating cluster(s) http: bad, in: bad', ['http', 'in']],
  ];
  for (const [text, refused] of table) {
    const story = new TypeStory({}).exist('in@1 http@1 ingress@1');
    story.send();
    assert.deepEqual(Object.keys(story.answer(text).refused()).sort(), [...refused].sort(), text);
  }
});

test('44. where no name is in the text, everything in the response counts as refused', () => {
  const story = new TypeStory({}).exist('alpha@1 beta@1');
  story.send();
  assert.deepEqual(Object.keys(story.answer('no').refused()), ['alpha', 'beta']);
  assert.equal(story.due, '');
});

test('8. the one exception: a retry makes the same version due again', () => {
  const story = settled({}, 'a@1').exist('a@2');
  story.send();
  story.answer('a: Unable to create Wasm plugin');
  story.state = subscription.retry(story.state, 'a');
  assert.equal(story.due, 'a@2');
  assert.deepEqual(story.refused(), {});
});

test('7. a resource that is held back is not due, the others are; it follows when it is free', () => {
  const story = settled({}, 'a@1 b@1').exist('a@2 b@2');
  story.held.add('a');
  assert.equal(story.send(), 'b@2');
  assert.equal(story.answer().due, '');
  story.held.clear();
  assert.equal(story.due, 'a@2');
});

test('13. no name is due twice, however often it was asked for', () => {
  const story = settled({ subscribe: ['*', 'a', 'a'] }, 'a@1 b@1').exist('a@2 b@1');
  assert.equal(story.change({ subscribe: ['a', 'a', '*'] }).due, 'a@2');
});

test('16. a version that was skipped while another was out never comes later', () => {
  const story = settled({}, 'a@1').exist('a@2');
  story.send();
  story.exist('a@3').exist('a@4').answer();
  assert.equal(story.send(), 'a@4');
  assert.equal(story.answer().due, '');
});

test('8. a removal that was refused is recorded and not due again; Envoy removes all the same', () => {
  const story = settled({}, 'a@1 b@1').exist('b@1');
  assert.equal(story.send(), '-a');
  assert.equal(story.answer('in use').due, '');
  assert.deepEqual(story.refused(), { a: ': in use' });
  assert.equal(story.exist('a@1 b@1').due, 'a@1');
  story.send();
  assert.deepEqual(story.answer().refused(), {});
});

test('a name that is dropped while its resource is out is not had', () => {
  const story = new TypeStory({ subscribe: ['a', 'b'] }).exist('a@1 b@1');
  story.send();
  story.change({ unsubscribe: ['b'] }).answer();
  assert.deepEqual([...story.state.has.keys()], ['a']);
});
