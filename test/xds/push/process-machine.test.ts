import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WantedSlot } from '../../../src/model/snapshot.ts';
import { toVersion } from '../../../src/xds/push/attempt.ts';
import * as machine from '../../../src/xds/push/process-machine.ts';
import { describeAttempt, refusalOf, toContent, toPart, toWant } from './slot-story.ts';

const versionOf = (content: string): string => toVersion(toContent(content).contentHash, 'verdict');

/** One process with its slots, told event by event. */
class ProcessStory {
  state: machine.ProcessState;
  now = 1_000_000;
  readonly wants = new Map<string, WantedSlot>();
  #tags = 0;
  #gets = 0;

  constructor({ fresh = false, bootstrapDenies = false } = {}) {
    this.state = machine.newProcess({ fresh, bootstrapDenies });
  }

  /** Slot names to their content, without telling the machine. */
  know(slots: Record<string, string>): this {
    for (const [slot, content] of Object.entries(slots)) this.wants.set(slot, toWant(content));
    return this;
  }

  want(slots: Record<string, string>): this {
    this.know(slots);
    this.state = machine.onWanted(this.state, this.#lookup, this.now);
    return this;
  }

  ask(subscribe: readonly string[], versions: Record<string, string> = {}, unsubscribe: string[] = []): this {
    const request = { subscribe, unsubscribe, versions: new Map(Object.entries(versions)), isWhole: true };
    this.state = machine.onSlotRequest(this.state, request, this.#lookup, this.now);
    return this;
  }

  listener(slots: readonly string[], fetchTimeoutMs = 0): this {
    this.state = machine.onListenerSent(this.state, { slots, fetchTimeoutMs }, this.now);
    return this;
  }

  push(): string {
    const due = machine.nextProcessPush(this.state, this.now, () =>
      (++this.#tags).toString(16).padStart(16, '0'),
    );
    if (due === undefined) return 'nothing';
    this.state = due.state;
    return `${due.slot}: ${describeAttempt(due.attempt)}`;
  }

  answer(nack?: string): this {
    this.state = machine.onAnswer(this.state, nack === undefined ? undefined : refusalOf(nack), this.now);
    return this;
  }

  get(part: string, state: 'started' | 'sent' = 'started'): this {
    if (state === 'started') this.#gets += 1;
    const fetch = {
      process: 'p',
      tag: '',
      moduleSha256: toPart(part).module,
      id: this.#gets,
      state,
      at: this.now,
    };
    this.state = machine.onFetch(this.state, fetch, this.now);
    return this;
  }

  pass(ms: number): this {
    this.now += ms;
    this.state = machine.onTick(this.state, this.now);
    return this;
  }

  reconnect(): this {
    this.state = machine.onStreamClosed(this.state, [...this.state.slots.keys()], true, this.now);
    this.state = machine.onStreamOpened(this.state, this.now);
    return this;
  }

  mayChange(...slots: readonly string[]): boolean {
    return machine.mayChangeListener(this.state, slots);
  }

  /** Two slots, both accepted: x holds a@1, y holds b@1. */
  static settled(): ProcessStory {
    const story = new ProcessStory().know({ x: 'a@1', y: 'b@1' }).ask(['x', 'y']);
    story.push();
    story.answer().push();
    return story.answer();
  }

  readonly #lookup = (slot: string): WantedSlot | undefined => this.wants.get(slot);
}

// --- 6. one push out at a time ----------------------------------------------------------------------------

test('6. of many slots one push is out at a time; the next follows its answer, be it ACK or NACK', () => {
  const story = new ProcessStory().know({ x: 'a@1', y: 'b@1', z: 'c@1' }).ask(['x', 'y', 'z']);
  assert.equal(story.push(), 'x: verdict a@1');
  assert.equal(story.push(), 'nothing');
  assert.equal(story.answer('a').push(), 'y: verdict b@1');
  assert.equal(story.push(), 'nothing');
  assert.equal(story.answer().push(), 'z: verdict c@1');
});

test('6. the newest content wins, in every slot', () => {
  const story = new ProcessStory().know({ x: 'a@1', y: 'b@1' }).ask(['x', 'y']);
  story.push();
  story.want({ x: 'a@2', y: 'b@2' }).want({ x: 'a@3', y: 'b@3' });
  assert.equal(story.answer().push(), 'x: verdict a@3');
  assert.equal(story.answer().push(), 'y: verdict b@3');
  assert.equal(story.answer().push(), 'nothing');
});

test('6. an answer while nothing is out changes nothing', () => {
  const story = ProcessStory.settled();
  const before = story.state;
  assert.equal(story.answer().answer('a').state, before);
});

test('6. a slot that Envoy drops while its push is out still owes the answer', () => {
  const story = new ProcessStory().know({ x: 'a@1', y: 'b@1' }).ask(['x', 'y']);
  story.push();
  assert.equal(story.ask([], {}, ['x']).push(), 'nothing');
  assert.equal(story.answer().push(), 'y: verdict b@1');
  assert.equal(story.answer().push(), 'nothing');
});

test('8. a slot that is wanted no more gets a pass-through', () => {
  assert.equal(ProcessStory.settled().want({ x: '' }).push(), 'x: verdict pass-through');
});

test('a slot that nothing is known about yet is answered when it is', () => {
  const story = new ProcessStory().ask(['x']);
  assert.equal(story.push(), 'nothing');
  assert.equal(story.want({ x: 'a@1' }).push(), 'x: verdict a@1');
});

test("a push that is nobody else's business: content for a slot that was not asked for", () => {
  assert.equal(new ProcessStory().want({ x: 'a@1' }).push(), 'nothing');
});

// --- 1. who may warm --------------------------------------------------------------------------------------

test('1. the warming form needs a listener of this stream, or a process known from its beginning whose bootstrap denies', () => {
  const table: readonly [string, string, () => ProcessStory][] = [
    ['nothing', 'verdict', () => new ProcessStory()],
    ['a fresh process', 'verdict', () => new ProcessStory({ fresh: true })],
    ['a bootstrap that denies', 'verdict', () => new ProcessStory({ bootstrapDenies: true })],
    ['both', 'warming', () => new ProcessStory({ fresh: true, bootstrapDenies: true })],
    ['a listener without a fetch timeout', 'warming', () => new ProcessStory().listener(['x'])],
    ['the same, an hour ago', 'warming', () => new ProcessStory().listener(['x']).pass(3_600_000)],
    ['a listener of another slot', 'verdict', () => new ProcessStory().listener(['y'])],
    ['less than half of 15 s gone', 'warming', () => new ProcessStory().listener(['x'], 15_000).pass(7499)],
    ['half of it gone', 'verdict', () => new ProcessStory().listener(['x'], 15_000).pass(7500)],
    ['a listener of a former stream', 'verdict', () => new ProcessStory().listener(['x']).reconnect()],
    [
      'a process seen from its beginning, on a later stream: a slot without record and version was never answered',
      'warming',
      () => new ProcessStory({ fresh: true, bootstrapDenies: true }).reconnect(),
    ],
  ];
  for (const [name, form, make] of table)
    assert.equal(make().know({ x: 'a@1' }).ask(['x']).push(), `x: ${form} a@1`, name);
});

test('1. a slot that is in use is not introduced by another listener', () => {
  const story = ProcessStory.settled().listener(['x']);
  assert.equal(story.state.introduced.size, 0);
});

test('1. a listener introduces its slot once: when Envoy drops and asks again, another listener must bring it', () => {
  const story = new ProcessStory().know({ x: 'a@1' }).listener(['x']).ask(['x']);
  story.push();
  story.answer().ask([], {}, ['x']).ask(['x']);
  assert.equal(story.push(), 'x: verdict a@1');
  story.answer().ask([], {}, ['x']).listener(['x']).ask(['x']);
  assert.equal(story.push(), 'x: warming a@1');
});

test('1. a version in the request forbids the warming form, whatever the listener', () => {
  const story = new ProcessStory()
    .know({ x: 'a@2' })
    .listener(['x'])
    .ask(['x'], { x: versionOf('a@1') });
  assert.equal(story.push(), 'x: verdict a@2');
});

// --- 2, 3. downloads are shared by the slots ----------------------------------------------------------------

test('2. a GET moves a warming slot on, also while another slot is in flight', () => {
  const story = new ProcessStory().know({ x: 'a@1', y: 'b@1' }).listener(['x', 'y']).ask(['x', 'y']);
  assert.equal(story.push(), 'x: warming a@1');
  assert.equal(story.answer().push(), 'y: warming b@1');
  story.get('a@1').get('a@1', 'sent');
  assert.equal(story.push(), 'nothing');
  assert.equal(story.answer().push(), 'x: verdict a@1');
});

test('3. a slot that waits for its downloads does not keep the others waiting', () => {
  const story = ProcessStory.settled().want({ x: 'a@2' });
  story.push();
  story.get('a@2').answer('a');
  assert.equal(story.want({ y: 'b@2' }).push(), 'y: verdict b@2');
  story.answer().get('a@2', 'sent');
  assert.equal(story.push(), 'x: verdict a@2');
});

test('3. downloads of the time without a stream are known when it comes back', () => {
  const story = ProcessStory.settled().want({ x: 'a@2' });
  story.push();
  story.reconnect().get('a@2');
  assert.equal(story.state.downloads.size, 1);
});

// --- 5. reconnect -----------------------------------------------------------------------------------------

test('5. a reconnect with everything wanted gets nothing', () => {
  const story = ProcessStory.settled().reconnect();
  story.ask(['x', 'y'], { x: versionOf('a@1'), y: versionOf('b@1') });
  assert.equal(story.push(), 'nothing');
});

test('5. versions alone, without the names, are subscriptions as well', () => {
  const story = ProcessStory.settled()
    .reconnect()
    .ask([], { x: versionOf('a@1'), y: versionOf('b@1') });
  assert.equal(story.want({ x: 'a@2' }).push(), 'x: verdict a@2');
});

test('5. what changed while it was away is pushed, the rest is not', () => {
  const story = ProcessStory.settled().reconnect().want({ y: 'b@2' });
  assert.equal(story.push(), 'nothing', 'not before Envoy asks');
  story.ask(['x', 'y'], { x: versionOf('a@1'), y: versionOf('b@1') });
  assert.equal(story.push(), 'y: verdict b@2');
  assert.equal(story.answer().push(), 'nothing');
});

test('5. the push that was out when the stream broke is out no more', () => {
  const story = ProcessStory.settled().want({ x: 'a@2' });
  story.push();
  story.reconnect().ask(['x', 'y'], { x: versionOf('a@1'), y: versionOf('b@1') });
  assert.equal(story.push(), 'x: verdict a@2');
});

test('5. a slot that Envoy does not name again is forgotten, with the next names or after ten seconds', () => {
  const named = ProcessStory.settled()
    .reconnect()
    .ask(['y'], { y: versionOf('b@1') });
  assert.deepEqual([...named.state.slots.keys()], ['y']);
  const silent = ProcessStory.settled().reconnect();
  assert.deepEqual([...silent.pass(9_999).state.slots.keys()], ['x', 'y']);
  assert.equal(machine.processWake(silent.state, silent.now), silent.now + 1);
  assert.deepEqual([...silent.pass(1).state.slots.keys()], []);
});

test('a process that brings versions of any type is not fresh afterwards', () => {
  const story = new ProcessStory({ fresh: true }).reconnect();
  assert.equal(story.state.fresh, false);
});

// --- 7. listeners -----------------------------------------------------------------------------------------

test('7. a listener is held while one of its slots is un-ACKed; other listeners are not', () => {
  const story = ProcessStory.settled();
  assert.equal(story.mayChange('x', 'y'), true);
  story.want({ x: 'a@2' });
  assert.equal(story.mayChange('x'), true, 'not sent yet');
  story.push();
  assert.equal(story.mayChange('x', 'y'), false);
  assert.equal(story.mayChange('y'), true);
  assert.equal(story.answer().mayChange('x', 'y'), true);
});

test('7. a listener is held while a slot is refused, until the last good content is ACKed', () => {
  const story = ProcessStory.settled();
  story.wants.set('x', toWant('a@2', 'a@1'));
  story.want({}).push();
  story.answer('a').pass(1001);
  assert.equal(story.push(), 'x: probe');
  story.get('probe@0').answer('probe').push();
  story.answer('a').pass(1001);
  assert.equal(story.mayChange('x'), false);
  assert.equal(story.push(), 'x: verdict a@1');
  assert.equal(story.mayChange('x'), false);
  assert.equal(story.answer().mayChange('x'), true);
});

test('7. after a reconnect a refused slot holds its listener although it was not named yet', () => {
  const story = ProcessStory.settled().want({ x: 'a@2' });
  story.push();
  story.answer('a').reconnect();
  assert.equal(story.mayChange('x'), false);
});

test('7. a slot that nobody asked for holds no listener', () => {
  assert.equal(new ProcessStory().know({ x: 'a@1' }).mayChange('x'), true);
});

test("7. a heal pushes the named slots again, and only those; unknown ones are nobody's", () => {
  const story = ProcessStory.settled();
  story.state = machine.onHeal(story.state, ['y', 'unknown'], story.now);
  assert.equal(story.push(), 'y: verdict b@1');
  assert.equal(story.answer().push(), 'nothing');
  assert.equal(story.state.slots.has('unknown'), false);
});

// --- wake-ups ---------------------------------------------------------------------------------------------

test('a process wakes when its first slot wants to, and not at all when none does', () => {
  const story = ProcessStory.settled();
  assert.equal(machine.processWake(story.state, story.now), undefined);
  story.want({ x: 'a@2', y: 'b@2' }).push();
  story.answer('a').pass(400).push();
  story.answer('b');
  assert.equal(machine.processWake(story.state, story.now), story.now - 400 + 1001);
});
