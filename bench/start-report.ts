import { formatMachine, type Machine } from './machine.ts';
import { formatSpread, formatTable, type Spread, toSpread } from './spread.ts';

/** One start of `attache serve`. */
export interface Start {
  /** Of the server's process and of children that ended, until it is ready. */
  readonly cpuMs: number;
  readonly wallMs: number;
  readonly rssMiB: number;
}

type Starts = Readonly<Record<keyof Start, Spread>>;

export interface StartReport {
  readonly machine: Machine;
  readonly plugins: number;
  readonly nodes: number;
  readonly runs: number;
  readonly targetMs: number;
  readonly empty: Starts;
  readonly full: Starts;
}

const TARGET_MS = 1_000;

export function toStartReport(
  runs: { readonly empty: readonly Start[]; readonly full: readonly Start[] },
  of: Pick<StartReport, 'machine' | 'plugins' | 'nodes'>,
): StartReport {
  const toSpreads = (starts: readonly Start[]): Starts => ({
    cpuMs: toSpread(starts.map(start => start.cpuMs)),
    wallMs: toSpread(starts.map(start => start.wallMs)),
    rssMiB: toSpread(starts.map(start => start.rssMiB)),
  });
  const { empty, full } = runs;
  return { ...of, runs: full.length, targetMs: TARGET_MS, empty: toSpreads(empty), full: toSpreads(full) };
}

export function formatStartReport(report: StartReport): string {
  const { machine, plugins, nodes, runs, targetMs, empty, full } = report;
  const toRow = (name: string, starts: Starts) => [
    name,
    ...[starts.cpuMs, starts.wallMs, starts.rssMiB].map(spread => formatSpread(spread, 0)),
  ];
  return [
    `${formatMachine(machine)}. ${runs} starts: medians (lowest–highest).`,
    formatTable(
      ['start with', 'CPU ms', 'until ready, ms', 'memory MiB'],
      [toRow('nothing', empty), toRow(`${plugins} plugins, ${nodes} nodes`, full)],
    ),
    `Under ${targetMs} ms of CPU: ${full.cpuMs.median < targetMs ? 'met' : 'missed'}.`,
  ].join('\n\n');
}
