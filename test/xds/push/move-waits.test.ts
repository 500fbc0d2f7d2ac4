/** Make before break holds a plugin in its place; what else is due in that place goes out. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as machine from '../../../src/xds/push/process-machine.ts';
import { describeAttempt, refusalOf, toPart, toWant } from './slot-story.ts';

type Contents = Readonly<Record<'authn' | 'stats', string>>;

/** A process with two places, whose Envoy refuses what holds one of the bad parts. */
class TwoPlaces {
  now = 1_000_000;
  state = machine.newProcess({ fresh: true, bootstrapDenies: false });
  bad: readonly string[] = [];
  #tags = 0;
  #gets = 0;

  constructor(wanted: Contents) {
    const request = {
      ...{ subscribe: ['authn', 'stats'], unsubscribe: [], isWhole: true },
      versions: new Map<string, string>(),
    };
    this.state = machine.onSlotRequest(this.state, request, toLookup(wanted, wanted), this.now);
    this.run();
  }

  want(wanted: Contents, good: Contents = wanted): this {
    this.state = machine.onWanted(this.state, toLookup(wanted, good), this.now);
    return this;
  }

  push(): string {
    const push = machine.nextProcessPush(this.state, this.now, () =>
      (++this.#tags).toString(16).padStart(16, '0'),
    );
    if (push === undefined) return 'nothing';
    this.state = push.state;
    return `${push.slot}: ${describeAttempt(push.attempt)}`;
  }

  answer(nack?: string): this {
    this.now += 5;
    this.state = machine.onAnswer(this.state, nack, this.now);
    return this;
  }

  get(part: string): (state: 'sent' | 'failed') => void {
    const fetch = { process: 'p', tag: '', moduleSha256: toPart(part).module, id: ++this.#gets };
    const tell = (state: 'started' | 'sent' | 'failed'): void => {
      this.state = machine.onFetch(this.state, { ...fetch, state, at: this.now }, this.now);
    };
    tell('started');
    return tell;
  }

  /** What is pushed, and the Envoy ACKs, until nothing is due any more. */
  run(): readonly string[] {
    const acked: string[] = [];
    for (let steps = 0; steps < 200; steps++) {
      const text = this.push();
      const part = this.bad.find(it => text.includes(it));
      if (text === 'nothing') {
        const wake = machine.processWake(this.state, this.now);
        if (wake === undefined) return acked;
        this.now = Math.max(this.now + 1, wake);
        this.state = machine.onTick(this.state, this.now);
      } else if (text.endsWith('probe')) {
        this.get('probe@0');
        this.answer(refusalOf('probe'));
      } else if (part !== undefined) this.answer(refusalOf(part.split('@')[0] ?? ''));
      else {
        acked.push(text);
        this.answer();
      }
    }
    throw new Error(`it never ends: ${acked.slice(-5).join('; ')}`);
  }
}

function toLookup(wanted: Contents, good: Contents): machine.Lookup {
  return slot => (slot === 'authn' ? toWant(wanted.authn, good.authn) : toWant(wanted.stats, good.stats));
}

const BEGIN = { authn: 'p@1 z@2', stats: 'x@1' };

/** p was to move to the other place, which refuses it there. */
function stuck(begin: Contents = BEGIN, authn = 'z@2'): TwoPlaces {
  const story = new TwoPlaces(begin);
  story.bad = ['p@2'];
  story.want({ authn, stats: 'x@1 p@2' }, begin);
  assert.deepEqual(story.run(), ['stats: verdict x@1'], 'make before break');
  return story;
}

test('what is undone in a place goes out although a plugin that is to leave it is refused in its next place', () => {
  const story = stuck().want({ authn: 'z@1', stats: 'x@1 p@2' }, BEGIN);
  assert.deepEqual(story.run(), ['authn: verdict p@1 z@1']);
  story.bad = [];
  story.want({ authn: 'z@1', stats: 'x@1 p@3' }, BEGIN);
  assert.deepEqual(story.run(), ['stats: verdict x@1 p@3', 'authn: verdict z@1'], 'it leaves once it can');
});

test('a plugin that comes stands where it is wanted, and one that is deleted goes', () => {
  const story = stuck({ authn: 'o@1 p@1 z@2', stats: 'x@1' }, 'o@1 z@2');
  story.want({ authn: 'a@1 z@2', stats: 'x@1 p@2' }, BEGIN);
  assert.deepEqual(story.run(), ['authn: verdict p@1 a@1 z@2']);
});

test('a miss of what is undone is waited for like any other', () => {
  const story = stuck().want({ authn: 'z@1', stats: 'x@1 p@2' }, BEGIN);
  assert.equal(story.push(), 'authn: verdict p@1 z@1');
  const end = story.get('z@1');
  story.answer(refusalOf('z'));
  assert.equal(story.push(), 'nothing', 'while it is downloaded');
  end('sent');
  assert.equal(story.push(), 'authn: verdict p@1 z@1');
});

test('what is refused beside a plugin that cannot leave is judged, and healed', () => {
  const story = stuck();
  story.bad = ['p@2', 'z@3'];
  story.want({ authn: 'z@3', stats: 'x@1 p@2' }, BEGIN);
  assert.deepEqual(story.run(), ['authn: verdict p@1 z@2']);
  const refused = story.state.slots.get('authn')?.refused;
  assert.deepEqual([refused?.plugin, refused?.revision], ['default/z', 3]);
});

test('a place that may be for one plugin only is not given two', () => {
  const story = stuck({ authn: 'p@1', stats: 'x@1' }, '').want({ authn: 'z@1', stats: 'x@1 p@2' }, BEGIN);
  assert.deepEqual(story.run(), []);
});
