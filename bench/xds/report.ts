import { formatMachine, type Machine } from '../machine.ts';
import { formatSpread, formatTable, judge, type Spread, toRatio } from '../spread.ts';
import { type FigureName, type Figures, spreadOf, TITLES, valuesOf } from './figures.ts';
import { ASIDE, type Row, type Target } from './plan.ts';
import type { SideName } from './side.ts';

/** A row that was run; a side that could not be is not there. */
export interface Measured {
  readonly row: Row;
  readonly runs: Readonly<Partial<Record<SideName, readonly Figures[]>>>;
}

/** A figure that the bench had no name for yet when it ran is not there. */
type Spreads = Readonly<Partial<Record<FigureName, Spread>>>;

export interface XdsReport {
  readonly machine: Machine;
  /** Why Attaché stands alone. */
  readonly alone?: string;
  /** Ours to go-control-plane's, `<row>/<figure>`. */
  readonly ratios: Readonly<Record<string, Spread>>;
  readonly rows: readonly {
    readonly id: string;
    readonly title: string;
    readonly runs: number;
    /** Of the sides that had fewer. */
    readonly fewer?: Readonly<Partial<Record<SideName, number>>>;
    readonly targets: Row['targets'];
    readonly sides: Readonly<Partial<Record<SideName, Spreads>>>;
  }[];
}

const COMPARED: readonly FigureName[] = [
  ...(['cpuUs', 'p50Ms', 'p99Ms', 'lastMs', 'laterCpuUs', 'laterP99Ms'] as const),
  ...(['rssMiB', 'firstAllMs'] as const),
];
const NAMES = Object.keys(TITLES) as readonly FigureName[];

export function toReport(
  measured: readonly Measured[],
  of: { readonly machine: Machine; readonly alone?: string },
): XdsReport {
  return {
    ...of,
    ratios: Object.fromEntries(measured.flatMap(toRatios)),
    rows: measured.map(({ row: { id, title, targets }, runs }) => ({
      id,
      title,
      targets,
      ...toRunCounts(runs),
      sides: Object.fromEntries(Object.entries(runs).map(([side, of]) => [side, toSpreads(of)])),
    })),
  };
}

function toRunCounts(runs: Measured['runs']): Pick<XdsReport['rows'][number], 'runs' | 'fewer'> {
  const counts = Object.entries(runs).map(([side, of]) => [side, of.length] as const);
  const most = Math.max(...counts.map(([, count]) => count));
  const fewer = counts.filter(([, count]) => count < most);
  return { runs: most, ...(fewer.length > 0 ? { fewer: Object.fromEntries(fewer) } : {}) };
}

function toRatios({ row, runs }: Measured): [string, Spread][] {
  const theirs = runs['go-control-plane'];
  if (theirs === undefined) return [];
  return Object.entries(runs).flatMap(([side, ours]) =>
    side === 'go-control-plane'
      ? []
      : COMPARED.flatMap(name => {
          const of = side === 'attache' ? '' : `/${side}`;
          const [mine, other] = [valuesOf(ours, name), valuesOf(theirs, name)];
          if (mine === undefined || other === undefined) return [];
          return [[`${row.id}${of}/${name}`, toRatio(mine, other)] as [string, Spread]];
        }),
  );
}

function toSpreads(runs: readonly Figures[]): Spreads {
  return Object.fromEntries(
    NAMES.flatMap(name => {
      const spread = spreadOf(runs, name);
      return spread === undefined ? [] : [[name, spread]];
    }),
  );
}

/** Markdown: the targets in one table, then all figures of each row, medians with the lowest and the highest. */
export function formatReport(report: XdsReport): string {
  return [
    `${formatMachine(report.machine)}. Medians (lowest–highest).`,
    ...(report.alone === undefined ? [] : [`Attaché alone: ${report.alone}.`]),
    ...formatTargets(report),
    ...report.rows.flatMap(row => formatRow(row, report.ratios)),
  ].join('\n\n');
}

function formatTargets({ rows, ratios }: XdsReport): string[] {
  const lines = rows.flatMap(({ id, title, targets }) =>
    (Object.entries(targets) as [FigureName, Target][]).flatMap(([name, target]) => {
      const ratio = ratios[`${id}/${name}`];
      if (ratio === undefined) return [];
      const aside = ASIDE.map(side => toCell(ratios[`${id}/${side}/${name}`], 2));
      const { must, goal } = target;
      return [
        [
          title,
          TITLES[name],
          String(must),
          String(goal),
          formatSpread(ratio, 2),
          judge(ratio, target),
          ...aside,
        ],
      ];
    }),
  );
  if (lines.length === 0) return [];
  return [formatTable(['row', 'figure', 'must', 'goal', 'ratio', '', ...ASIDE], lines)];
}

function formatRow(
  { id, title, runs, fewer, sides }: XdsReport['rows'][number],
  ratios: XdsReport['ratios'],
) {
  const shown = Object.entries(sides) as [SideName, Spreads][];
  const lines = NAMES.filter(name => isShown(name, shown)).map(name => [
    TITLES[name],
    ...shown.map(([, spreads]) => toCell(spreads[name])),
    toCell(ratios[`${id}/${name}`], 2),
  ]);
  const head = ['figure', ...shown.map(([side]) => side), 'ratio'];
  const counted = [
    `${runs} runs`,
    ...Object.entries(fewer ?? {}).map(([side, count]) => `of ${side} ${count}`),
  ];
  return [`#### ${title}`, `${counted.join(', ')}.`, formatTable(head, lines)];
}

function toCell(spread: Spread | undefined, digits?: number): string {
  return spread === undefined ? '' : formatSpread(spread, digits);
}

/** What is nothing at all is not shown, but where it is what the row is about. */
function isShown(name: FigureName, shown: readonly (readonly [SideName, Spreads])[]): boolean {
  const has = (figure: FigureName) => shown.some(([, spreads]) => (spreads[figure]?.max ?? 0) > 0);
  return has(name) || (name === 'again' && has('nacks'));
}
