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
  /** The same of the pushes after the fifth; undefined: there were none. */
  readonly laterCpuUs?: number;
  readonly laterP99Ms?: number;
  /** Resident, after the fifth push, or the last of fewer. */
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
  laterCpuUs: 'server CPU of the pushes after the fifth, µs',
  laterP99Ms: 'p99 of the pushes after the fifth, ms',
  rssMiB: 'resident memory after five pushes, MiB',
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

type Round = LoadReport['rounds'][number];

/** So many pushes are what the figures are about; what comes after them is told apart. */
const EARLY = 5;

/** The first push is not counted where there are more. */
export function toFigures({ setup, connect, rounds, lost }: LoadReport, streams: number): Figures {
  const early = rounds.slice(0, EARLY);
  const counted = early.length > 1 ? early.slice(1) : early;
  const later = rounds.slice(EARLY);
  const mean = (read: (round: Round) => number, of: readonly Round[] = counted) =>
    of.reduce((sum, round) => sum + read(round), 0) / of.length;
  const cpuUs = (of: readonly Round[]) => (1000 * mean(round => round.server_cpu_ms, of)) / streams;
  return {
    cpuUs: cpuUs(counted),
    childCpuMs: mean(round => round.server_child_ms),
    p50Ms: mean(round => round.latency_ms.p50),
    p99Ms: mean(round => round.latency_ms.p99),
    lastMs: mean(round => round.latency_ms.max),
    ...(later.length > 0
      ? { laterCpuUs: cpuUs(later), laterP99Ms: mean(round => round.latency_ms.p99, later) }
      : {}),
    rssMiB: early.at(-1)?.server_rss_mb ?? 0,
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

/** One figure over the runs of one side; undefined: they do not have it. */
export function spreadOf(runs: readonly Figures[], name: FigureName): Spread | undefined {
  const values = valuesOf(runs, name);
  return values && toSpread(values);
}

export function valuesOf(runs: readonly Figures[], name: FigureName): readonly number[] | undefined {
  const values = runs.flatMap(run => run[name] ?? []);
  return values.length === 0 ? undefined : values;
}
