import { type Downloads, GET_GRACE_MS } from '../push/downloads.ts';

/**
 * A listener that Envoy refused over a plugin. Its text does not tell a code-cache miss from a refusal; as in
 * the push protocol, the GET does (design 5.7).
 */
export interface ListenerNack {
  readonly version: string;
  readonly message: string;
  readonly sentAt: number;
  readonly nackedAt: number;
  /** Listener NACKs in a row. */
  readonly count: number;
}

export type ListenerDecision =
  | { readonly next: 'wait'; readonly until: number }
  /** A miss whose downloads have ended: the same bytes again. */
  | { readonly next: 'retry' }
  /** No GET: push what the slots have again, then the same bytes. */
  | { readonly next: 'heal' };

const LONGEST_DOWNLOAD_MS = 60_000;
const LONGEST_BACKOFF_MS = 60_000;

/** Whether the text blames a plugin; any other refusal of a listener is final until the listener changes. */
export function blamesPlugin(message: string): boolean {
  return message.includes('Unable to create Wasm plugin');
}

export function decideListener(nack: ListenerNack, downloads: Downloads, now: number): ListenerDecision {
  const gets = [...downloads.values()]
    .flat()
    .filter(get => get.startedAt >= nack.sentAt && get.startedAt <= nack.nackedAt + GET_GRACE_MS);
  // The first two repeats come at once, later ones ever slower.
  const pause = nack.count <= 2 ? 0 : Math.min(LONGEST_BACKOFF_MS, 1000 * 2 ** (nack.count - 3));
  const earliest = nack.nackedAt + pause;
  if (gets.length > 0) {
    const deadline = nack.nackedAt + LONGEST_DOWNLOAD_MS;
    if (gets.some(get => get.state === 'started') && now < deadline) return { next: 'wait', until: deadline };
    return now < earliest ? { next: 'wait', until: earliest } : { next: 'retry' };
  }
  const judged = Math.max(earliest, nack.nackedAt + GET_GRACE_MS + 1);
  return now < judged ? { next: 'wait', until: judged } : { next: 'heal' };
}

type Refused = ReadonlyMap<string, { readonly version: string; readonly message: string }>;

const NO_NACKS: ReadonlyMap<string, ListenerNack> = new Map();

/** The listeners of a process that were refused over a plugin. */
export class ListenerNacks {
  #byName = NO_NACKS;

  get isEmpty(): boolean {
    return this.#byName.size === 0;
  }

  /** These versions were answered; `refused`: what is refused from now on. */
  note(refused: Refused, answered: ReadonlyMap<string, string>, sentAt: number, now: number): void {
    if (this.isEmpty && refused.size === 0) return;
    const byName = new Map(this.#byName);
    for (const [name, version] of answered) {
      const refusal = refused.get(name);
      const count = (byName.get(name)?.count ?? 0) + 1;
      byName.delete(name);
      if (refusal?.version !== version || !blamesPlugin(refusal.message)) continue;
      byName.set(name, { version, message: refusal.message, sentAt, nackedAt: now, count });
    }
    this.#byName = byName;
  }

  /** Those among what is refused that are to be sent again. */
  due(refused: Refused, downloads: Downloads, now: number): { name: string; next: 'retry' | 'heal' }[] {
    return [...this.#byName].flatMap(([name, nack]) => {
      if (refused.get(name)?.version !== nack.version) return [];
      const { next } = decideListener(nack, downloads, now);
      return next === 'wait' ? [] : [{ name, next }];
    });
  }

  /** When there is more to decide. */
  waits(downloads: Downloads, now: number): readonly number[] {
    return [...this.#byName.values()].flatMap(nack => {
      const decision = decideListener(nack, downloads, now);
      return decision.next === 'wait' ? [decision.until] : [];
    });
  }
}
