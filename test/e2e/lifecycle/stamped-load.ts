import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { stopAfter } from '../../harness/cleanup.ts';
import { type Load, type LoadResponse, startLoad } from '../../harness/load.ts';
import { stampOf } from '../../harness/probe.ts';
import { until } from '../../harness/wait.ts';

/** What no plugin at work looks like. */
export const BARE = 'no stamp';

/**
 * Load that knows which stamps a response may carry. The header shows the order of the plugins: responses pass
 * through them from the last to the first, so plugins `a` before `b` say `b, a`.
 */
export interface StampedLoad {
  readonly load: Load;
  /**
   * A change of the plugins. While `act` runs, responses may carry what was right before, or `stamp`; when it is
   * done and every connection has shown `stamp`, each further response must carry exactly that. `meanwhile`: what
   * else is right until then.
   */
  change(stamp: string, act: () => Promise<void>, meanwhile?: readonly string[]): Promise<void>;
  /** Something after which responses go on to carry what they carry. */
  unmoved(act: () => Promise<void>): Promise<void>;
  /** Until so many more responses with the stamp came. */
  more(stamp: string, responses?: number): Promise<void>;
  /** Stops, prints the counts, and throws unless all was well. */
  assertClean(): Promise<void>;
}

export interface StampedLoadOptions {
  /** The Envoy is restarted: only what it answers counts. */
  readonly envoyGoes?: boolean;
}

/** The rate is above the 200 a second that are promised, so that a busy machine still sends those; an overloaded one does not. */
const PER_SECOND = 300;
const PROMISED_PER_SECOND = 200;
const CONNECTIONS = 4;
/** Responses with the same stamp in a row: enough that each connection, on whatever thread, had its turn. */
const STREAK = 10 * CONNECTIONS;

export function startStampedLoad(
  t: TestContext,
  port: number,
  first: string,
  options: StampedLoadOptions = {},
): StampedLoad {
  const record = new StampRecord(first);
  const load = startLoad({
    port,
    perSecond: PER_SECOND,
    connections: CONNECTIONS,
    hasPlugin: response => record.judge(response),
    isExcused: ({ what }) => options.envoyGoes === true && !/^\d{3}$/.test(what),
  });
  stopAfter(t, load);
  const more = async (stamp: string, responses = 100) => {
    const enough = record.count(stamp) + responses;
    await until(() => record.count(stamp) >= enough, { what: `${responses} responses with "${stamp}"` });
  };
  return {
    load,
    async change(stamp, act, meanwhile = []) {
      for (const one of [stamp, ...meanwhile]) record.allow(one);
      await act();
      await until(() => record.streak(stamp) >= STREAK, { what: `every response to carry "${stamp}"` });
      record.only(stamp);
      await more(stamp);
    },
    async unmoved(act) {
      await act();
      await more(record.last);
    },
    more,
    async assertClean() {
      await load.stop();
      t.diagnostic(`${load}${load.excused > 0 ? `, ${load.excused} unanswered` : ''}; ${record}`);
      assert.equal(load.failed, 0, JSON.stringify(load.failures.slice(0, 5)));
      assert.equal(load.withoutPlugin, 0, `wrong stamps: ${record}`);
      const isEnough = load.perSecond >= PROMISED_PER_SECOND || load.isStarved;
      assert.ok(isEnough, `only ${load.perSecond} requests a second`);
    },
  };
}

/** Which stamps came, how often, and whether each was right when its request was sent. */
class StampRecord {
  readonly #counts = new Map<string, number>();
  readonly #wrong = new Map<string, number>();
  #before: ReadonlySet<string> = new Set();
  #now: ReadonlySet<string>;
  #since = 0;
  #streak = 0;
  last: string;

  constructor(first: string) {
    this.#now = new Set([first]);
    this.last = first;
  }

  judge(response: LoadResponse): boolean {
    const stamp = stampOf(response) ?? BARE;
    this.#counts.set(stamp, this.count(stamp) + 1);
    this.#streak = stamp === this.last ? this.#streak + 1 : 1;
    this.last = stamp;
    const right = this.#now.has(stamp) || (response.sentAt < this.#since && this.#before.has(stamp));
    if (!right) this.#wrong.set(stamp, (this.#wrong.get(stamp) ?? 0) + 1);
    return right;
  }

  allow(stamp: string): void {
    this.#now = new Set([...this.#now, stamp]);
  }

  only(stamp: string): void {
    this.#before = this.#now;
    this.#now = new Set([stamp]);
    this.#since = performance.now();
  }

  count(stamp: string): number {
    return this.#counts.get(stamp) ?? 0;
  }

  streak(stamp: string): number {
    return this.last === stamp ? this.#streak : 0;
  }

  toString(): string {
    const tell = (counts: ReadonlyMap<string, number>) =>
      [...counts].map(([stamp, count]) => `${count} × "${stamp}"`).join(', ');
    return this.#wrong.size === 0 ? tell(this.#counts) : `${tell(this.#counts)}; wrong: ${tell(this.#wrong)}`;
  }
}
