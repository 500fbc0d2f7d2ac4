import { type Spread, toSpread } from '../spread.ts';
import type { LoadReport } from './load.ts';

/** What one run of a side gave. Times in ms, CPU in µs, memory in MiB. */
export interface Figures {
  /** Of the server and its children, per stream and push, answers included. */
  readonly cpuUs: number;
  /** Of that, what its children took (trial runs), ms a push. */
  readonly childCpuMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly lastMs: number;
  /** Resident, after the last push. */
  readonly rssMiB: number;
  /** From the first dial until every stream had its first resource. */
  readonly firstAllMs: number;
  /** Refusals that were sent, a push. */
  readonly nacks: number;
  /** Responses that brought what the stream had just refused, a push. */
  readonly again: number;
  /** Responses beyond the first new one of a stream, a push. */
  readonly repeats: number;
  /** Refusals because the module was not there yet, a push. */
  readonly misses: number;
  /** Modules that were fetched whole, a push. */
  readonly fetched: number;
  readonly unfetched: number;
  /** Streams that ended, or did not get a push in time. */
  readonly lost: number;
  /** Size of the node in a request. */
  readonly nodeKB: number;
}

export type FigureName = keyof Figures;

export const TITLES: Readonly<Record<FigureName, string>> = {
  cpuUs: 'server CPU per stream and push, µs',
  childCpuMs: 'of it trial runs, ms a push',
  p50Ms: 'change to receipt, p50, ms',
  p99Ms: 'change to receipt, p99, ms',
  lastMs: 'change to receipt, last, ms',
  rssMiB: 'resident memory after the pushes, MiB',
  firstAllMs: 'all streams have their first resource, ms',
  nacks: 'refusals, a push',
  again: 'refusals answered with the same content, a push',
  repeats: 'further responses, a push',
  misses: 'refusals because the module was not there yet, a push',
  fetched: 'modules fetched, a push',
  unfetched: 'GETs that brought no module, a push',
  lost: 'streams lost',
  nodeKB: 'node in a request, kB',
};

/** The first push is not counted where there are more. */
export function toFigures({ setup, connect, rounds, lost }: LoadReport, streams: number): Figures {
  const counted = rounds.length > 1 ? rounds.slice(1) : rounds;
  const mean = (read: (round: LoadReport['rounds'][number]) => number) =>
    counted.reduce((sum, round) => sum + read(round), 0) / counted.length;
  return {
    cpuUs: (1000 * mean(round => round.server_cpu_ms)) / streams,
    childCpuMs: mean(round => round.server_child_ms),
    p50Ms: mean(round => round.latency_ms.p50),
    p99Ms: mean(round => round.latency_ms.p99),
    lastMs: mean(round => round.latency_ms.max),
    rssMiB: rounds.at(-1)?.server_rss_mb ?? 0,
    firstAllMs: 1000 * connect.initial_all_s,
    nacks: mean(round => round.nacks),
    again: mean(round => round.again),
    repeats: mean(round => round.repeats),
    misses: mean(round => round.misses),
    fetched: mean(round => round.fetched),
    unfetched: mean(round => round.unfetched),
    lost:
      connect.missing +
      Object.values(lost).reduce((sum, count) => sum + count, 0) +
      rounds.reduce((sum, round) => sum + round.missed, 0),
    nodeKB: setup.node_bytes / 1000,
  };
}

/** One figure over the runs of one side. */
export function spreadOf(runs: readonly Figures[], name: FigureName): Spread {
  return toSpread(runs.map(run => run[name]));
}
