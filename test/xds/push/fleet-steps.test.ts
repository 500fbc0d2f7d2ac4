/** Processes with the same past hold one state, and each goes its own way when something happens to it alone. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { ModuleFetch } from '../../../src/model/module-fetch.ts';
import type { Snapshot } from '../../../src/model/snapshot.ts';
import { FleetSteps } from '../../../src/xds/push/fleet-steps.ts';
import {
  newProcess,
  onFetch,
  onSlotRequest,
  type ProcessState,
  withoutDownloads,
} from '../../../src/xds/push/process-machine.ts';
import { part, snapshotOf } from '../model/content.ts';

const SLOT = 'attache.authn/l1';
const NOW = 1_000_000;
const REFUSED = 'Unable to create Wasm plugin default/p';

function snapshot(revision: number, good = revision - 1): Snapshot {
  const slots = new Map([[SLOT, { wanted: [part('p', revision)], good: [part('p', good)] }]]);
  return snapshotOf({ slots, listeners: new Map() });
}

/** Some processes, each with the tags that it was sent, as their sessions would drive them. */
class Fleet {
  #hex = 0;
  readonly steps = new FleetSteps(bytes => (++this.#hex).toString(16).padStart(bytes * 2, '0'));
  states: ProcessState[];
  readonly tags: string[][];
  now = NOW;

  constructor(size: number) {
    this.states = Array.from({ length: size }, () => newProcess({ fresh: true, bootstrapDenies: false }));
    this.tags = this.states.map(() => []);
  }

  /** The first request of each, before anybody knows what is wanted. */
  ask(): this {
    const request = { subscribe: [SLOT], unsubscribe: [], versions: new Map(), isWhole: true };
    return this.each(state => onSlotRequest(state, request, () => undefined, this.now));
  }

  want(next: Snapshot): this {
    return this.each(state => this.steps.wanted(state, next, this.now));
  }

  push(): this {
    return this.each((state, i) => {
      const push = this.steps.push(state, this.now);
      if (push === undefined) return state;
      this.tags[i]?.push(...push.attempt.tags);
      return push.state;
    });
  }

  answer(nack?: string, of = this.states.map((_, i) => i)): this {
    return this.each((state, i) =>
      of.includes(i) ? this.steps.answered(state, nack, this.now, this.now) : state,
    );
  }

  each(step: (state: ProcessState, i: number) => ProcessState): this {
    this.now += 1;
    this.states = this.states.map((state, i) => this.steps.join(step(state, i)));
    return this;
  }

  get distinct(): number {
    return new Set(this.states).size;
  }
}

const settled = (size: number): Fleet => new Fleet(size).ask().want(snapshot(1, 1)).push().answer();

test('a fleet with one past has one state: asked for, pushed, accepted, changed', () => {
  const fleet = new Fleet(5).ask();
  assert.equal(fleet.distinct, 1, 'what they asked for');
  const next = snapshot(2);
  for (const wanted of [snapshot(1, 1), next]) {
    const steps = [() => fleet.want(wanted), () => fleet.push(), () => fleet.answer()];
    for (const step of steps) assert.equal(step().distinct, 1);
  }
  assert.equal(fleet.states[0]?.slots.get(SLOT)?.accepted?.contentHash, next.slot(SLOT)?.wanted.contentHash);
  assert.deepEqual(fleet.tags[0], fleet.tags[4], 'and one tag for each push');
  assert.equal(new Set(fleet.tags[0]).size, 2);
});

test('answers that come at other times lead to one state all the same', () => {
  const fleet = settled(3).want(snapshot(2)).push();
  for (const i of [2, 0, 1]) fleet.answer(undefined, [i]);
  assert.equal(fleet.distinct, 1);
});

test('the NACK of one is its own; the others go on together', () => {
  const fleet = settled(3).want(snapshot(2)).push();
  fleet.now += 500;
  fleet.states[1] = fleet.steps.answered(fleet.states[1] as ProcessState, REFUSED, NOW + 7, fleet.now);
  const phase = fleet.states[1].slots.get(SLOT)?.phase;
  assert.ok(phase?.kind === 'judging');
  assert.equal(phase.attempt.pushedAt, NOW + 7, 'when it went out to this one, not to the first of them');
  fleet.answer(undefined, [0, 2]);
  assert.deepEqual([fleet.states[0] === fleet.states[2], fleet.distinct], [true, 2]);
});

test('what was downloaded is its own', () => {
  const fleet = settled(2);
  const fetch = {
    process: 'p',
    tag: '',
    moduleSha256: part('p', 2).module,
    id: 1,
    at: NOW,
    state: 'sent',
  } as const;
  fleet.states[0] = onFetch(fleet.states[0] as ProcessState, fetch, NOW);
  fleet.want(snapshot(2)).push().answer();
  assert.equal(fleet.distinct, 2);
  assert.equal(fleet.states[0].downloads.size, 1);
  assert.equal(fleet.states[1]?.downloads.size, 0);
  fleet.states[0] = withoutDownloads(fleet.states[0]);
  fleet.want(snapshot(3)).push().answer();
  assert.equal(fleet.distinct, 1, 'once nothing can hang on it any more, it is back among the others');
});

test('downloads stay while one runs, while a push is out, and while a NACK is judged', () => {
  const fleet = settled(1);
  const fetch = {
    process: 'p',
    tag: '',
    moduleSha256: part('p', 2).module,
    id: 1,
    at: NOW,
    state: 'sent',
  } as const;
  const at = (state: ProcessState | undefined, more: Partial<ModuleFetch> = {}): number =>
    withoutDownloads(onFetch(state ?? assert.fail(), { ...fetch, ...more }, NOW)).downloads.size;
  assert.equal(at(fleet.states[0]), 0);
  assert.equal(at(fleet.states[0], { state: 'started' }), 1);
  fleet.want(snapshot(2)).push();
  assert.equal(at(fleet.states[0]), 1);
  fleet.answer(REFUSED);
  assert.equal(at(fleet.states[0], { at: NOW - 1 }), 1);
});

test('5.4 a process never has a tag twice, whatever is wanted again and whoever had it meanwhile', () => {
  const fleet = settled(3);
  const [one, other] = [snapshot(1, 1), snapshot(2)];
  for (let round = 0; round < 4; round++) {
    fleet.want(other).push().answer(REFUSED, [0]).answer(undefined, [1, 2]);
    fleet.want(one).push().answer();
  }
  for (const tags of fleet.tags) assert.equal(new Set(tags).size, tags.length);
  assert.ok((fleet.tags[0]?.length ?? 0) >= 8);
});

test('a node that stays behind holds nothing of what others had after it', async () => {
  const fleet = settled(2);
  const behind = fleet.states[0] as ProcessState;
  const later: WeakRef<ProcessState>[] = [];
  for (let revision = 2; revision < 6; revision++) {
    fleet.want(snapshot(revision)).push().answer();
    later.push(new WeakRef(fleet.states[1] as ProcessState));
  }
  fleet.states = [behind];
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  // What a WeakRef was asked for lives on for this turn.
  await new Promise(resolve => setImmediate(resolve));
  collect();
  assert.deepEqual(
    later.map(ref => ref.deref()),
    later.map(() => undefined),
  );
});
