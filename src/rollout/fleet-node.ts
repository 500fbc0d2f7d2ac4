import type { NodePresence } from '../model/node.ts';
import { type Situation, situationOf } from '../model/node-situation.ts';
import type { NodeVerdict } from '../model/node-verdict.ts';

/** A known node, as it is now: a change makes another one. */
export class FleetNode {
  readonly presence: NodePresence;
  /** Of this node, whatever process and place. */
  readonly verdicts: readonly NodeVerdict[];
  /** It was connected when our last run ended: it is waited for, for a minute after our start. */
  readonly expected: boolean;
  #situation: Situation | null | undefined;

  constructor(presence: NodePresence, verdicts: readonly NodeVerdict[], expected = false) {
    this.presence = presence;
    this.verdicts = verdicts;
    this.expected = expected;
  }

  /** Found when it is first asked for: each decision asks again, of nodes that are in no cache of the CPU any more. */
  get situation(): Situation | undefined {
    this.#situation ??= situationOf(this.presence, this.verdicts) ?? null;
    return this.#situation ?? undefined;
  }

  /** As `presence` says it now; `isSame`: nothing in it that decides anything is new. */
  withPresence(presence: NodePresence, isSame = false): FleetNode {
    const next = new FleetNode(presence, this.verdicts, this.expected);
    if (isSame) next.#situation = this.#situation;
    return next;
  }

  withVerdicts(verdicts: readonly NodeVerdict[]): FleetNode {
    return new FleetNode(this.presence, verdicts, this.expected);
  }

  withExpected(expected: boolean): FleetNode {
    return new FleetNode(this.presence, this.verdicts, expected);
  }
}
