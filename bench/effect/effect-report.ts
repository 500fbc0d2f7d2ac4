import { formatMachine, type Machine } from '../machine.ts';
import { formatSpread, formatTable, judge, type Spread, toSpread } from '../spread.ts';
import type { Breakdown } from './breakdown.ts';

/** What is changed. */
export const CASES = {
  configuration: 'new configuration of a module that the Envoys run',
  module: 'a module that no Envoy has seen',
} as const;
export type CaseName = keyof typeof CASES;

export interface EffectReport {
  readonly machine: Machine;
  readonly envoy: string;
  readonly envoys: number;
  readonly runs: number;
  readonly cases: Readonly<Record<CaseName, Readonly<Record<keyof Breakdown, Spread>>>>;
}

const PARTS: Readonly<Record<keyof Breakdown, string>> = {
  api: 'API: until the apply is answered',
  module: 'module stage: fetch, checks, trial run, revision',
  push: 'rollout, compiler, first push',
  download: 'Envoy: asks for the module and has it',
  again: 'from there to the next push',
  load: 'Envoy: compiles, takes it over, answers',
  total: 'apply to the last Envoy that answers with it',
  ours: 'of it ours',
  envoys: 'of it Envoy’s',
  ratio: 'ours to Envoy’s',
};
const TARGET = { must: 0.2, goal: 0.2 };

export function toEffectReport(
  runs: Readonly<Record<CaseName, readonly Breakdown[]>>,
  of: Pick<EffectReport, 'machine' | 'envoy' | 'envoys'>,
): EffectReport {
  const toSpreads = (all: readonly Breakdown[]) =>
    Object.fromEntries(
      (Object.keys(PARTS) as (keyof Breakdown)[]).map(part => [part, toSpread(all.map(one => one[part]))]),
    ) as EffectReport['cases'][CaseName];
  return {
    ...of,
    runs: runs.module.length,
    cases: { configuration: toSpreads(runs.configuration), module: toSpreads(runs.module) },
  };
}

export function formatEffectReport({ machine, envoy, envoys, runs, cases }: EffectReport): string {
  const names = Object.keys(CASES) as CaseName[];
  const lines = (Object.keys(PARTS) as (keyof Breakdown)[]).map(part => [
    PARTS[part],
    ...names.map(name => formatSpread(cases[name][part], part === 'ratio' ? 2 : 0)),
  ]);
  const verdicts = names.map(name => (judge(cases[name].ratio, TARGET) === 'missed' ? 'missed' : 'met'));
  return [
    `${formatMachine(machine)}. ${envoys} Envoys ${envoy} on the same cores, ${runs} runs: medians (lowest–highest), ms.`,
    formatTable(
      ['the slowest Envoy', ...names.map(name => CASES[name])],
      [...lines, ['ours at most 0.2 of Envoy’s', ...verdicts]],
    ),
  ].join('\n\n');
}
