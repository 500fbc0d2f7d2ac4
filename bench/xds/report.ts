import type { Spread } from '../spread.ts';
import { type FigureName, type Figures, formatFigure, ratioOf, spreadOf, TARGETS } from './figures.ts';
import type { Scenario } from './side.ts';

export interface Comparison {
  readonly scenario: Scenario;
  readonly attache: readonly Figures[];
  readonly goControlPlane: readonly Figures[];
}

const NAMES: readonly FigureName[] = [
  'cpuUs',
  'p50Ms',
  'p99Ms',
  'lastMs',
  'rssMiB',
  'firstAllMs',
  'repeats',
  'lost',
];

/** `ratios`: ours to theirs, `<streams>/<form>/<figure>`. */
export function toReport(comparisons: readonly Comparison[]) {
  const ratios: Record<string, Spread> = {};
  for (const { scenario, attache, goControlPlane } of comparisons)
    for (const name of Object.keys(TARGETS) as FigureName[])
      ratios[`${scenario.streams}/${scenario.form}/${name}`] = ratioOf(attache, goControlPlane, name);
  return {
    ratios,
    figures: comparisons.map(({ scenario, attache, goControlPlane }) => ({
      scenario,
      attache: toSpreads(attache),
      goControlPlane: toSpreads(goControlPlane),
    })),
  };
}

function toSpreads(runs: readonly Figures[]) {
  return Object.fromEntries(NAMES.map(name => [name, spreadOf(runs, name)]));
}

/** Markdown: a table for each scenario, medians with the lowest and the highest of the runs. */
export function formatReport(comparisons: readonly Comparison[]): string {
  return comparisons
    .flatMap(({ scenario, attache, goControlPlane }) => [
      `### ${scenario.streams} streams, ${scenario.form}, ${attache.length} runs`,
      '',
      '| figure | attache | go-control-plane | ratio | must | goal |',
      '| --- | --- | --- | --- | --- | --- |',
      ...NAMES.map(name => {
        const target = TARGETS[name];
        const cells = [
          target?.title ?? name,
          formatFigure(spreadOf(attache, name)),
          formatFigure(spreadOf(goControlPlane, name)),
          target === undefined ? '' : formatFigure(ratioOf(attache, goControlPlane, name)),
          target?.must ?? '',
          target?.goal ?? '',
        ];
        return `| ${cells.join(' | ')} |`;
      }),
      '',
    ])
    .join('\n');
}
