import { formatMachine, type Machine } from '../machine.ts';
import { formatSpread, formatTable, judge, type Spread, toRatio, toSpread } from '../spread.ts';
import { BAD_CLIENTS, type BadClientsName } from './bad-clients.ts';

/** What the well-behaved streams saw in one run, and what the server had. */
export interface ClientsRun {
  readonly p99Ms: number;
  readonly lastMs: number;
  /** Resident memory of the server after the pushes, MiB. */
  readonly rssMiB: number;
  /** Well-behaved streams that ended, or did not get a push. */
  readonly lost: number;
}

export type ClientsCase = 'alone' | BadClientsName;
export type ClientsRuns = Readonly<Record<ClientsCase, readonly ClientsRun[]>>;

export interface ClientsReport {
  readonly machine: Machine;
  readonly streams: number;
  readonly form: string;
  readonly runs: number;
  /** With bad clients to without, `<case>/<figure>`. */
  readonly ratios: Readonly<Record<string, Spread>>;
  readonly cases: Readonly<Record<ClientsCase, Readonly<Record<keyof ClientsRun, Spread>>>>;
}

/** The p99 of the others moves by less than a fifth. */
const P99 = { must: 1.2, goal: 1.2 };
const FIGURES = ['p99Ms', 'lastMs', 'rssMiB', 'lost'] as const;

export function toClientsReport(
  runs: ClientsRuns,
  of: Pick<ClientsReport, 'machine' | 'streams' | 'form'>,
): ClientsReport {
  const values = (name: ClientsCase, figure: keyof ClientsRun) => runs[name].map(run => run[figure]);
  const toCase = (name: ClientsCase) =>
    Object.fromEntries(FIGURES.map(figure => [figure, toSpread(values(name, figure))]));
  const names = Object.keys(runs) as ClientsCase[];
  const ratios = names
    .filter(name => name !== 'alone')
    .flatMap(name =>
      (['p99Ms', 'rssMiB'] as const).map(figure => [
        `${name}/${figure}`,
        toRatio(values(name, figure), values('alone', figure)),
      ]),
    );
  return {
    ...of,
    runs: runs.alone.length,
    ratios: Object.fromEntries(ratios),
    cases: Object.fromEntries(names.map(name => [name, toCase(name)])) as ClientsReport['cases'],
  };
}

export function formatClientsReport({ machine, streams, form, runs, ratios, cases }: ClientsReport): string {
  const lines = (Object.keys(cases) as ClientsCase[]).map(name => {
    const p99 = ratios[`${name}/p99Ms`];
    return [
      name === 'alone' ? 'the fleet alone' : BAD_CLIENTS[name].title,
      ...FIGURES.map(figure => formatSpread(cases[name][figure])),
      p99 === undefined ? '' : formatSpread(p99, 2),
      p99 === undefined ? '' : judge(p99, P99) === 'missed' ? 'missed' : 'met',
    ];
  });
  const head = ['beside the fleet', 'p99, ms', 'last, ms', 'memory, MiB', 'lost', 'p99 to alone', '< 1.2'];
  return [
    `${formatMachine(machine)}. ${streams} streams, ${form}, ${runs} runs in turn: medians (lowest–highest).`,
    formatTable(head, lines),
  ].join('\n\n');
}
