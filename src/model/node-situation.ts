import type { NodePresence } from './node.ts';
import type { NodeVerdict } from './node-verdict.ts';
import type { Selecting } from './selector.ts';

/**
 * What of a node and its verdicts decides about plugins, without its id, its tags and all times. Equal ones are the same
 * object. The nodes of a fleet stand in few situations, and most of what is found of one node holds for all in its own.
 */
export interface Situation {
  /** By the next thing that counts: another place, say, or another content of a place. */
  readonly next: Map<string | number, Situation>;
}

/** More are not remembered at a time: nodes of which each has a label of its own share nothing. */
const MOST = 20_000;

let root: Situation = { next: new Map() };
let count = 0;

/**
 * The situation of a node; undefined: it refused something or is silent, so that words and times of its own count.
 * `verdicts` are this node's. It takes 0.2 µs, and up to 1 of a node that was not touched lately; a state takes 2.
 */
export function situationOf(presence: NodePresence, verdicts: readonly NodeVerdict[]): Situation | undefined {
  if (presence.nacks.length > 0 || presence.silentSince !== undefined) return undefined;
  if (count > MOST) forget();
  const { node, slots, connected, process } = presence;
  let at = go(go(root, contents.of(node, toText)), contents.of(slots));
  at = go(at, Number(connected));
  for (const { slot, state, process: of, tried, accepted, refused } of verdicts) {
    if (refused !== null) return undefined;
    const isAnswered = tried !== null && tried.contentHash === accepted?.contentHash;
    at = go(go(at, slot), state);
    at = go(at, Number(of === process) + 2 * Number(isAnswered));
    at = go(at, tried === null ? 0 : contents.of(tried.plugins));
    at = go(at, accepted === null ? 0 : contents.of(accepted.plugins));
    at = go(at, accepted?.loaded === undefined ? 0 : contents.of(accepted.loaded));
  }
  return at;
}

function go({ next }: Situation, step: string | number): Situation {
  const known = next.get(step);
  if (known !== undefined) return known;
  const situation = { next: new Map() };
  next.set(step, situation);
  count += 1;
  return situation;
}

/** Who is met again after it is in another situation than before: less is shared then, and nothing is mixed up. */
function forget(): void {
  root = { next: new Map() };
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
