import { formatSpread, type Spread, toSpread } from '../spread.ts';
import type { LoadReport } from './load.ts';

/** What one run of a side gave. Times in ms, CPU in µs, memory in MiB. */
export interface Figures {
  /** Of the server, per stream and push, answers included. */
  readonly cpuUs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly lastMs: number;
  /** Resident, after the last push. */
  readonly rssMiB: number;
  /** From the first dial until every stream had its first resource. */
  readonly firstAllMs: number;
  /** Responses that told a stream what it had just refused, or had already. */
  readonly repeats: number;
  /** Streams that ended, or did not get a push in time. */
  readonly lost: number;
}

export type FigureName = keyof Figures;

/** Those that are compared, with what the ratio must and should be at most. */
export const TARGETS: Readonly<
  Partial<Record<FigureName, { readonly title: string; readonly must: number; readonly goal: number }>>
> = {
  cpuUs: { title: 'server CPU per stream and push, µs', must: 1, goal: 0.7 },
  p99Ms: { title: 'p99 from change to receipt, ms', must: 1.3, goal: 0.9 },
  rssMiB: { title: 'resident memory after the pushes, MiB', must: 1.2, goal: 0.75 },
  firstAllMs: { title: 'all streams have their first resource, ms', must: 1.7, goal: 1.1 },
};

/** The first push warms up what is compiled late, on either side, and is not counted. */
export function toFigures({ connect, rounds, lost }: LoadReport, streams: number): Figures {
  const counted = rounds.slice(1);
  const mean = (read: (round: LoadReport['rounds'][number]) => number) =>
    counted.reduce((sum, round) => sum + read(round), 0) / counted.length;
  return {
    cpuUs: (1000 * mean(round => round.server_cpu_ms)) / streams,
    p50Ms: mean(round => round.latency_ms.p50),
    p99Ms: mean(round => round.latency_ms.p99),
    lastMs: mean(round => round.latency_ms.max),
    rssMiB: rounds.at(-1)?.server_rss_mb ?? Number.NaN,
    firstAllMs: 1000 * connect.initial_all_s,
    repeats: rounds.reduce((sum, round) => sum + round.repeats, 0),
    lost:
      connect.missing +
      Object.values(lost).reduce((sum, count) => sum + count, 0) +
      rounds.reduce((sum, round) => sum + round.missed, 0),
  };
}

/** One figure over the runs of one side. */
export function spreadOf(runs: readonly Figures[], name: FigureName): Spread {
  return toSpread(runs.map(run => run[name]));
}

/** Run by run, so that what the machine did besides weighs on both alike. */
export function ratioOf(ours: readonly Figures[], theirs: readonly Figures[], name: FigureName): Spread {
  return toSpread(ours.map((run, i) => run[name] / (theirs[i]?.[name] ?? Number.NaN)));
}

export function formatFigure(spread: Spread): string {
  return formatSpread(spread, spread.median < 10 ? 2 : 0);
}
