import { formatMachine, type Machine } from '../machine.ts';
import { formatSpread, formatTable, judge, type Spread, toRatio, toSpread } from '../spread.ts';

/** One time that all clients fetch the module. */
export interface ServeRun {
  readonly MiBPerS: number;
  /** Of the server, for all of them. */
  readonly cpuMs: number;
  /** Resident memory of the server at its highest meanwhile, less what it had before. */
  readonly moreMiB: number;
  readonly failed: number;
}

export type ServerName = 'attache' | 'nginx';

export interface ServeReport {
  readonly machine: Machine;
  readonly clients: number;
  readonly moduleMiB: number;
  readonly runs: number;
  /** Why Attaché stands alone. */
  readonly alone?: string;
  /** Ours to nginx's. */
  readonly ratios: Readonly<Partial<Record<'MiBPerS' | 'cpuMs', Spread>>>;
  readonly servers: Readonly<Partial<Record<ServerName, Readonly<Record<keyof ServeRun, Spread>>>>>;
}

const FIGURES = {
  MiBPerS: 'MiB/s',
  cpuMs: 'CPU, ms',
  moreMiB: 'memory, more MiB',
  failed: 'failed',
} as const;
const NAMES = Object.keys(FIGURES) as readonly (keyof ServeRun)[];
/** nginx's throughput to ours, at most: at least half of it. */
const MOST = { must: 2, goal: 1 };

export function toServeReport(
  runs: Readonly<Partial<Record<ServerName, readonly ServeRun[]>>>,
  of: Pick<ServeReport, 'machine' | 'clients' | 'moduleMiB'> & { readonly alone?: string },
): ServeReport {
  const { attache = [], nginx } = runs;
  const ratio = (name: 'MiBPerS' | 'cpuMs') =>
    toRatio(
      attache.map(run => run[name]),
      (nginx ?? []).map(run => run[name]),
    );
  const toSpreads = (all: readonly ServeRun[]) =>
    Object.fromEntries(NAMES.map(name => [name, toSpread(all.map(run => run[name]))]));
  return {
    ...of,
    runs: attache.length,
    ratios: nginx === undefined ? {} : { MiBPerS: ratio('MiBPerS'), cpuMs: ratio('cpuMs') },
    servers: Object.fromEntries(Object.entries(runs).map(([name, all]) => [name, toSpreads(all)])),
  };
}

export function formatServeReport({
  machine,
  clients,
  moduleMiB,
  runs,
  alone,
  ratios,
  servers,
}: ServeReport): string {
  const lines = (Object.entries(servers) as [ServerName, Record<keyof ServeRun, Spread>][]).map(
    ([name, spreads]) => [name, ...NAMES.map(figure => formatSpread(spreads[figure]))],
  );
  const { MiBPerS, cpuMs } = ratios;
  const verdict =
    MiBPerS === undefined || cpuMs === undefined
      ? `Attaché alone: ${alone}.`
      : `Throughput to nginx's: ${formatSpread(MiBPerS, 2)}, at least 0.5: ${
          judge(toInverse(MiBPerS), MOST) === 'missed' ? 'missed' : 'met'
        }. CPU to nginx's: ${formatSpread(cpuMs, 2)}.`;
  return [
    `${formatMachine(machine)}. A module of ${moduleMiB} MiB to ${clients} clients at once, ${runs} runs in turn: medians (lowest–highest).`,
    formatTable(['server', ...Object.values(FIGURES)], lines),
    verdict,
  ].join('\n\n');
}

function toInverse({ median, min, max }: Spread): Spread {
  return { median: 1 / median, min: 1 / max, max: 1 / min };
}
