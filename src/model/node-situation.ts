import type { NodePresence } from './node.ts';
import type { NodeVerdict } from './node-verdict.ts';
import type { Selecting } from './selector.ts';

/**
 * What of a node and its verdicts decides about plugins, without its id, its tags and all times. Equal ones are the same
 * object. The nodes of a fleet stand in few situations, and most of what is found of one node holds for all in its own.
 */
export class Situation {
  readonly #next = new Map<string | number, Situation>();
  /** Most nodes take the step that the one before took. */
  #step: string | number | undefined;
  #stepped: Situation | undefined;

  /** `step` as well. */
  and(step: string | number): Situation {
    if (step === this.#step && this.#stepped !== undefined) return this.#stepped;
    let situation = this.#next.get(step);
    if (situation === undefined) {
      situation = new Situation();
      this.#next.set(step, situation);
      count += 1;
    }
    this.#step = step;
    this.#stepped = situation;
    return situation;
  }
}

/** More are not remembered at a time: nodes of which each has a label of its own share nothing. */
const MOST = 20_000;

let root = new Situation();
let count = 0;

/**
 * The situation of a node; undefined: it refused something or is silent, so that words and times of its own count.
 * `verdicts` are this node's. It takes 0.2 µs, and up to 1 of a node that was not touched lately; a state takes 2.
 */
export function situationOf(presence: NodePresence, verdicts: readonly NodeVerdict[]): Situation | undefined {
  const unanswered = situationBefore(presence);
  return unanswered && situationAfter(unanswered, presence, verdicts);
}

/** What of a situation its presence alone tells; it holds for as long as that is the same. */
export function situationBefore(presence: NodePresence): Situation | undefined {
  if (presence.nacks.length > 0 || presence.silentSince !== undefined) return undefined;
  if (count > MOST) forget();
  const { node, slots, connected } = presence;
  return root.and(contents.of(node, toText)).and(lists.of(slots)).and(Number(connected));
}

/** With what its presence tells. */
export function situationAfter(
  before: Situation,
  { process }: Pick<NodePresence, 'process'>,
  verdicts: readonly NodeVerdict[],
): Situation | undefined {
  let at = before;
  for (const { slot, state, process: of, tried, accepted, refused } of verdicts) {
    if (refused !== null) return undefined;
    const isAnswered = tried !== null && tried.contentHash === accepted?.contentHash;
    at = at
      .and(slot)
      .and(state)
      .and(Number(of === process) + 2 * Number(isAnswered))
      .and(tried === null ? 0 : triedParts.of(tried.plugins))
      .and(accepted === null ? 0 : acceptedParts.of(accepted.plugins))
      .and(accepted?.loaded === undefined ? 0 : loadedParts.of(accepted.loaded));
  }
  return at;
}

/** Who is met again after it is in another situation than before: less is shared then, and nothing is mixed up. */
function forget(): void {
  root = new Situation();
  count = 0;
}

/** Whether nodes in one situation are all selected, or none: a group may name nodes. */
export function selectsAlike({ targetRefs = [] }: Pick<Selecting, 'targetRefs'>): boolean {
  return targetRefs.every(({ members }) => members?.nodes === undefined);
}

function toText({ id: _id, ...node }: NodePresence['node']): string {
  return JSON.stringify(node);
}

/** Objects that are equal as JSON, as equal numbers from 1 on. What many records share is written as text once. */
class Contents {
  readonly #ofObject = new WeakMap<object, number>();
  readonly #ofText = new Map<string, number>();
  #last = 0;

  of<T extends object>(object: T, toText: (object: T) => string = JSON.stringify): number {
    const known = this.#ofObject.get(object);
    if (known !== undefined) return known;
    const text = toText(object);
    if (this.#ofText.size > MOST) this.#ofText.clear();
    const number = this.#ofText.get(text) ?? this.#last + 1;
    this.#last = Math.max(this.#last, number);
    this.#ofText.set(text, number);
    this.#ofObject.set(object, number);
    return number;
  }
}

const contents = new Contents();

/** Numbers of what nodes that come one after another share as a rule. */
class Recent {
  #object: object | undefined;
  #number = 0;

  of(object: object): number {
    if (object !== this.#object) {
      this.#number = contents.of(object);
      this.#object = object;
    }
    return this.#number;
  }
}

const lists = new Recent();
const triedParts = new Recent();
const acceptedParts = new Recent();
const loadedParts = new Recent();
