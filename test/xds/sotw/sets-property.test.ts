/** Whatever is changed, held back, refused or cut: a client of sets ends with what it is to have, and loses nothing meanwhile. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { setVersionOf, TypeStory } from './type-story.ts';

const NAMES = ['a', 'b', 'c'];
/** Refused by this client, whenever it comes. */
const BAD_VERSION = '3';
/** More than any change can need; what goes on after a refusal goes on for ever. */
const MOST_RESPONSES = 8;

type Action =
  | { readonly do: 'exist'; readonly versions: readonly (number | null)[] }
  | { readonly do: 'hold' | 'free'; readonly name: string }
  | { readonly do: 'reconnect'; readonly remembered: boolean };

const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('exist' as const),
      versions: fc.tuple(...NAMES.map(() => fc.option(fc.integer({ min: 1, max: 4 })))),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom('hold' as const, 'free' as const),
      name: fc.constantFrom(...NAMES),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reconnect' as const), remembered: fc.boolean() }) },
);

/** An Envoy: it applies of a set what it can, and names the rest. */
class SetClient {
  readonly has = new Map<string, string>();
  accepted = '';
  #story = new TypeStory();
  #exist = '';
  readonly #held = new Set<string>();
  /** Since it was sent last: it may come back in a form that the client refuses. */
  readonly #deleted = new Set<string>();

  act(next: Action): void {
    if (next.do === 'exist') {
      this.#exist = toText(next.versions);
      for (const name of NAMES) if (!this.#exists(name)) this.#deleted.add(name);
    }
    if (next.do === 'reconnect') {
      // One that has not accepted any set yet has nothing to say, and is taken for one that has nothing.
      const former = next.remembered ? { former: this.#story } : {};
      if (this.accepted !== '') this.#story = new TypeStory({ version: this.accepted, ...former });
    }
    if (next.do === 'hold') this.#held.add(next.name);
    if (next.do === 'free') this.#held.delete(next.name);
    this.#settle();
  }

  freeAll(): void {
    this.#held.clear();
    this.#settle();
  }

  /** What there is, less what it refuses. */
  check(): void {
    const exists = new Map(
      this.#exist
        .split(' ')
        .filter(Boolean)
        .map(it => it.split('@') as [string, string]),
    );
    for (const [name, version] of exists)
      if (version === BAD_VERSION) assert.notEqual(this.has.get(name), BAD_VERSION);
      else assert.equal(this.has.get(name), version, name);
    for (const name of this.has.keys()) assert.ok(exists.has(name), `${name} should be gone`);
  }

  #exists(name: string): boolean {
    return this.#exist.includes(`${name}@`);
  }

  #settle(): void {
    this.#story.exist(this.#exist);
    this.#story.held.clear();
    // Only what it has can be held back.
    for (const name of this.#held) if (this.has.has(name)) this.#story.held.add(name);
    for (let i = 0; ; i++) {
      assert.ok(i < MOST_RESPONSES, 'it does not end');
      const set = this.#story.send();
      if (set === undefined) return;
      this.#apply(set === 'empty' ? '' : set);
    }
  }

  #apply(set: string): void {
    const items = new Map(
      set
        .split(' ')
        .filter(Boolean)
        .map(it => it.split('@') as [string, string]),
    );
    for (const name of [...this.has.keys()]) {
      if (items.has(name)) continue;
      assert.ok(this.#deleted.has(name), `${name} was lost`);
      this.has.delete(name);
    }
    const bad: string[] = [];
    for (const [name, version] of items) {
      if (version === BAD_VERSION) bad.push(name);
      else {
        if (this.#held.has(name) && this.has.has(name))
          assert.equal(version, this.has.get(name), `${name} changed while it was held`);
        this.has.set(name, version);
        if (this.#exists(name)) this.#deleted.delete(name);
      }
    }
    if (bad.length > 0)
      this.#story.answer(`Error adding/updating cluster(s) ${bad.map(it => `${it}: bad`).join(', ')}`);
    else {
      this.#story.answer();
      this.accepted = setVersionOf(set);
    }
  }
}

const toText = (versions: readonly (number | null)[]): string =>
  NAMES.flatMap((name, i) => (versions[i] == null ? [] : [`${name}@${versions[i]}`])).join(' ');

test('8, 9, 24, 31. a client of sets ends with what it is to have, loses nothing, and is not asked for ever', () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 12 }), actions => {
      const client = new SetClient();
      for (const next of actions) client.act(next);
      client.freeAll();
      client.check();
    }),
    { numRuns: 2000 },
  );
});
