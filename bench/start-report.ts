import { formatMachine, type Machine } from './machine.ts';
import { formatSpread, formatTable, type Spread, toSpread } from './spread.ts';

/** One start of `attache serve`. */
export interface Start {
  /** Of the server's process and of children that ended, until it is ready. */
  readonly cpuMs: number;
  readonly wallMs: number;
  readonly rssMiB: number;
}

/** Of one form of the program: on an empty data directory, and with the fleet. */
export interface Starts {
  readonly empty: readonly Start[];
  readonly full: readonly Start[];
}

type Spreads = Readonly<Record<keyof Start, Spread>>;
type Form = 'published' | 'clone';

export interface StartReport {
  readonly machine: Machine;
  readonly plugins: number;
  readonly nodes: number;
  readonly runs: number;
  readonly targetMs: number;
  readonly forms: Readonly<Record<Form, Readonly<Record<keyof Starts, Spreads>>>>;
}

const TARGET_MS = 1_000;
const FORMS: Readonly<Record<Form, string>> = { published: 'the package', clone: 'a clone' };

export function toStartReport(
  { published, clone }: Readonly<Record<Form, Starts>>,
  of: Pick<StartReport, 'machine' | 'plugins' | 'nodes'>,
): StartReport {
  const toSpreads = (starts: readonly Start[]): Spreads => ({
    cpuMs: toSpread(starts.map(start => start.cpuMs)),
    wallMs: toSpread(starts.map(start => start.wallMs)),
    rssMiB: toSpread(starts.map(start => start.rssMiB)),
  });
  const toForm = ({ empty, full }: Starts) => ({ empty: toSpreads(empty), full: toSpreads(full) });
  const forms = { published: toForm(published), clone: toForm(clone) };
  return { ...of, runs: published.full.length, targetMs: TARGET_MS, forms };
}

export function formatStartReport({ machine, plugins, nodes, runs, targetMs, forms }: StartReport): string {
  const toRow = (form: Form, name: string, { cpuMs, wallMs, rssMiB }: Spreads) => [
    FORMS[form],
    name,
    ...[cpuMs, wallMs, rssMiB].map(spread => formatSpread(spread, 0)),
  ];
  const rows = (['published', 'clone'] as const).flatMap(form => [
    toRow(form, 'nothing', forms[form].empty),
    toRow(form, `${plugins} plugins, ${nodes} nodes`, forms[form].full),
  ]);
  const isMet = forms.published.full.cpuMs.median < targetMs;
  return [
    `${formatMachine(machine)}. ${runs} starts: medians (lowest–highest).`,
    formatTable(['start of', 'with', 'CPU ms', 'until ready, ms', 'memory MiB'], rows),
    `The package under ${targetMs} ms of CPU: ${isMet ? 'met' : 'missed'}.`,
  ].join('\n\n');
}
