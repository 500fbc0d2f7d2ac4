import type { NodePresence } from '../model/node.ts';
import { type Situation, situationAfter, situationBefore } from '../model/node-situation.ts';
import type { NodeVerdict } from '../model/node-verdict.ts';

/** A known node, as it is now: the FleetIndex changes it, between decisions. Another object for each answer would live until the next one. */
export class FleetNode {
  #presence: NodePresence;
  #verdicts: readonly NodeVerdict[];
  /** It was connected when our last run ended: it is waited for, for a minute after our start. */
  expected = false;
  #situation: Situation | null | undefined;
  /** What its presence makes of that: an answer leaves it as it is. */
  #before: Situation | null | undefined;

  constructor(presence: NodePresence, verdicts: readonly NodeVerdict[]) {
    this.#presence = presence;
    this.#verdicts = verdicts;
  }

  get presence(): NodePresence {
    return this.#presence;
  }

  /** Of this node, whatever process and place. */
  get verdicts(): readonly NodeVerdict[] {
    return this.#verdicts;
  }

  /** Found when it is first asked for: each decision asks again, of nodes that are in no cache of the CPU any more. */
  get situation(): Situation | undefined {
    if (this.#situation === undefined) {
      this.#before ??= situationBefore(this.#presence) ?? null;
      this.#situation =
        (this.#before && situationAfter(this.#before, this.#presence, this.#verdicts)) ?? null;
    }
    return this.#situation ?? undefined;
  }

  /** `isSame`: nothing in it that decides anything is new. */
  takePresence(presence: NodePresence, isSame: boolean): void {
    this.#presence = presence;
    if (isSame) return;
    this.#before = undefined;
    this.#situation = undefined;
  }

  takeVerdicts(verdicts: readonly NodeVerdict[]): void {
    this.#verdicts = verdicts;
    this.#situation = undefined;
  }
}
