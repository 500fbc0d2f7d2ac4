import type { TestContext } from 'node:test';
import { stopAfter } from '../../harness/cleanup.ts';
import { type Load, type LoadResponse, startLoad } from '../../harness/load.ts';
import { until } from '../../harness/wait.ts';
import { signatureOf } from './wanted.ts';

/** Load that knows what may be answered now, and when the Envoy is away. */
export interface WatchedLoad {
  readonly load: Load;
  /** An answer with another signature than these passed without the plugin, or with one that nobody wants. */
  allow(...signatures: readonly string[]): void;
  /** The Envoy is killed in this instant: what it does not answer from now on does not count. */
  envoyKilled(): void;
  /** It was started again: with its first answer everything counts again. */
  envoyStarted(): void;
  /** Until so many answers in a row have had this signature. */
  untilOnly(signature: string, answers: number): Promise<void>;
  /** Requests answered a second, over the time in which the Envoy was there. */
  rate(): number;
}

type Envoy = 'up' | 'killed' | 'starting';

export function startWatchedLoad(t: TestContext, port: number, perSecond: number): WatchedLoad {
  let allowed: readonly string[] = [];
  let envoy: Envoy = 'up';
  let countsFrom = new Date(0);
  let last = { signature: '', inRow: 0 };
  const began = performance.now();
  let awayMs = 0;
  let awaySince = 0;

  const seeAnswer = ({ headers }: LoadResponse): boolean => {
    if (envoy === 'starting') {
      envoy = 'up';
      countsFrom = new Date();
      awayMs += performance.now() - awaySince;
    }
    const signature = signatureOf(headers);
    last = { signature, inRow: signature === last.signature ? last.inRow + 1 : 1 };
    return allowed.includes(signature);
  };
  const load = stopAfter(
    t,
    startLoad({
      port,
      perSecond,
      hasPlugin: seeAnswer,
      // Only what was not answered at all, and was sent before the new Envoy answered anything.
      isExcused: ({ what, startedAt }) =>
        !/^\d{3}$/.test(what) && (envoy !== 'up' || startedAt <= countsFrom),
    }),
  );
  return {
    load,
    allow: (...signatures) => {
      allowed = signatures;
    },
    envoyKilled() {
      if (envoy === 'up') awaySince = performance.now();
      envoy = 'killed';
    },
    envoyStarted() {
      envoy = 'starting';
    },
    async untilOnly(signature, answers) {
      last = { signature: '', inRow: 0 };
      await until(() => last.signature === signature && last.inRow >= answers, {
        what: `${answers} answers in a row that say ${signature}; the last said ${last.signature}`,
      });
    },
    rate: () => (1000 * (load.total - load.excused)) / (performance.now() - began - awayMs),
  };
}
