import { type AuditDraft, NOBODY, SEVERAL } from '../model/audit.ts';
import type { Clock, Log } from '../model/ports.ts';
import { toCountText } from '../model/quantity-text.ts';
import type { Store } from './store.ts';

/** Equal denials within this time are one entry, and one more that says how many they were. */
const WINDOW_MS = 60_000;
/** Kinds of denials that are told apart within that time; what is beyond them is counted together. */
const MAX_KINDS = 200;
/** Of them those of nobody known: whoever reaches the port can have them written, to a log that is kept for good. */
const MAX_STRANGERS = 20;
/** Entries of one transaction. */
const BATCH = 50;

export interface DenialLog {
  /**
   * The first of its kind (who, from where, what, why; of nobody known: from where, why) is in the audit when it
   * resolves. Never rejects: a denial that cannot be written is a denial all the same, and is logged.
   */
  record(draft: AuditDraft): Promise<void>;
  /** Writes what was counted. Nothing may be recorded after it. */
  stop(): Promise<void>;
}

/** What was denied, without a way to fill the store with it: at most 401 entries a minute, 41 of
 * them of nobody known, however often it is asked. */
export function createDenialLog(store: Store, clock: Clock, log: Log): DenialLog {
  return new Denials(store, clock, log);
}

interface Counted {
  readonly draft: AuditDraft;
  /** Beyond the first one, which was written. */
  more: number;
}

class Denials implements DenialLog {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #log: Log;
  #kinds = new Map<string, Counted>();
  #strangers = 0;
  #others = 0;
  #cancel: (() => void) | undefined;
  #ending: Promise<void> = Promise.resolve();

  constructor(store: Store, clock: Clock, log: Log) {
    this.#store = store;
    this.#clock = clock;
    this.#log = log;
  }

  async record(draft: AuditDraft): Promise<void> {
    this.#cancel ??= this.#clock.after(WINDOW_MS, () => {
      this.#ending = this.#end();
    });
    const isStranger = draft.actor === NOBODY;
    const counted = isStranger ? { ...draft, action: 'denied', subject: SEVERAL } : draft;
    const { actor, address, action, subject, result, code } = counted;
    const kind = [actor, address, action, subject, result, code].join('\n');
    const known = this.#kinds.get(kind);
    if (known !== undefined) known.more += 1;
    else if (this.#kinds.size >= MAX_KINDS || (isStranger && this.#strangers >= MAX_STRANGERS))
      this.#others += 1;
    else {
      this.#kinds.set(kind, { draft: counted, more: 0 });
      if (isStranger) this.#strangers += 1;
      await this.#write([draft]);
    }
  }

  async stop(): Promise<void> {
    await this.#ending;
    await this.#end();
  }

  async #end(): Promise<void> {
    this.#cancel?.();
    this.#cancel = undefined;
    const time = new Date(this.#clock.now()).toISOString();
    const repeated = [...this.#kinds.values()].filter(({ more }) => more > 0);
    const drafts = repeated.map(({ draft, more }) => toRepeated(draft, more, time));
    if (this.#others > 0) drafts.push(toOthers(this.#others, time));
    this.#kinds = new Map();
    this.#strangers = 0;
    this.#others = 0;
    for (let i = 0; i < drafts.length; i += BATCH) await this.#write(drafts.slice(i, i + BATCH));
  }

  async #write(drafts: readonly AuditDraft[]): Promise<void> {
    try {
      await this.#store.transaction(
        drafts.map(value => ({ op: 'append', kind: 'AuditEntry', value }) as const),
      );
    } catch (err) {
      for (const { actor, action, subject, code, count = 1 } of drafts)
        this.#log.error({ err, actor, action, subject, code, count }, 'a denial could not be audited');
    }
  }
}

/** The request ids of those that are counted are in the server's log alone. */
function toRepeated({ requestId: _first, ...draft }: AuditDraft, count: number, time: string): AuditDraft {
  return {
    ...draft,
    time,
    text: `${draft.text} (${toCountText(count, 'more time')} within a minute)`,
    count,
  };
}

function toOthers(count: number, time: string): AuditDraft {
  const text = `${toCountText(count, 'more denial')} within a minute, of too many kinds to tell apart`;
  return { time, actor: SEVERAL, action: 'denied', subject: SEVERAL, result: 'denied', text, count };
}
