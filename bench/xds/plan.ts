import { COLD_MIB } from './cold-modules.ts';
import type { FigureName } from './figures.ts';
import type { Scenario, SideName } from './side.ts';

/** A row of the bench: a scenario and what it is to show. */
export interface Row {
  /** First part of its ratios' names: `5000/delta`, `1000/sotw/60kB-node`. */
  readonly id: string;
  readonly title: string;
  readonly scenario: Scenario;
  readonly targets: Readonly<Partial<Record<FigureName, Target>>>;
  /** The sides that can play it; default all. */
  readonly sides?: readonly SideName[];
}

/** Ours to theirs, at most. */
export interface Target {
  readonly must: number;
  readonly goal: number;
}

const SIZES = [1_000, 5_000, 10_000];
const FORMS = ['delta', 'sotw'] as const;
/** Of five the first warms up what is compiled late, on either side, and is not counted; three more show what later ones cost. */
const PUSHES = 8;
/** What a refusal costs and brings is the same each time. */
const REFUSED_PUSHES = 3;
const FETCHED_PUSHES = 5;
/** What another transport would give, or none with anything behind it takes, is not what the targets are about. */
export const ASIDE: readonly SideName[] = ['attache-http2', 'bare-grpc-js'];
const ASIDE_RUNS = 2;
/** From here on a fleet counts as large: the targets are about it. */
const LARGE = 5_000;
const LARGE_TARGETS: Row['targets'] = {
  cpuUs: { must: 1, goal: 0.7 },
  laterCpuUs: { must: 1, goal: 0.7 },
  p99Ms: { must: 1.3, goal: 0.9 },
  laterP99Ms: { must: 1.3, goal: 0.9 },
  rssMiB: { must: 1.2, goal: 0.75 },
  firstAllMs: { must: 1.7, goal: 1.1 },
};
/** With the three real ones xds-load's node has 60 kB then; `nodeKB` of the figures says so. */
const LARGE_NODE_EXTENSIONS = 521;

export interface Choice {
  /** undefined: all sizes, and the rows about large nodes and refusals. */
  readonly sizes: readonly number[] | undefined;
  /** undefined: both. */
  readonly form: Scenario['form'] | undefined;
  /** Rows where each push brings a module that every Envoy fetches, and no others. */
  readonly fetch?: boolean;
}

/** What is to be measured, small before large. */
export function toRows({ sizes, form, fetch = false }: Choice): readonly Row[] {
  const forms = form === undefined ? FORMS : [form];
  if (fetch) return (sizes ?? [1_000]).flatMap(streams => forms.map(one => toFetchRow(streams, one)));
  const pushes = (sizes ?? SIZES).flatMap(streams => forms.map(one => toPushRow(streams, one)));
  return sizes === undefined ? [...pushes, ...toSpecialRows(forms)] : pushes;
}

/** How often a side plays a row. What stands aside is measured where anything is asked of a row. */
export function runsOf(side: SideName, { targets, sides }: Row, runs: number): number {
  if (sides?.includes(side) === false) return 0;
  if (!ASIDE.includes(side)) return runs;
  return Object.keys(targets).length > 0 ? Math.min(runs, ASIDE_RUNS) : 0;
}

function toPushRow(streams: number, form: Scenario['form']): Row {
  return {
    id: `${streams}/${form}`,
    title: `${streams} streams, ${form}`,
    scenario: toScenario(streams, form),
    targets: streams >= LARGE ? LARGE_TARGETS : {},
  };
}

function toSpecialRows(forms: readonly Scenario['form'][]): readonly Row[] {
  const largeNode: Row = {
    id: '1000/sotw/60kB-node',
    title: '1000 streams, sotw, each request repeats a node of 60 kB',
    scenario: { ...toScenario(1_000, 'sotw'), repeatedExtensions: LARGE_NODE_EXTENSIONS },
    targets: { cpuUs: { must: 0.7, goal: 0.4 } },
  };
  const refusals = forms.map(form => ({
    id: `1000/${form}/refused`,
    title: `1000 streams, ${form}, a tenth of them refuses each push`,
    scenario: { ...toScenario(1_000, form), refusing: 0.1, pushes: REFUSED_PUSHES },
    targets: {},
  }));
  const fetched = forms.includes('delta') ? [toFetchRow(1_000, 'delta')] : [];
  return [...(forms.includes('sotw') ? [largeNode] : []), ...refusals, ...fetched];
}

/** go-control-plane serves no modules. */
function toFetchRow(streams: number, form: Scenario['form']): Row {
  return {
    id: `${streams}/${form}/fetched`,
    title: `${streams} streams, ${form}, each push brings a module of ${COLD_MIB} MiB that all fetch`,
    scenario: { ...toScenario(streams, form), fetches: true, pushes: FETCHED_PUSHES },
    targets: {},
    sides: ['attache'],
  };
}

function toScenario(streams: number, form: Scenario['form']): Scenario {
  return { streams, form, pushes: PUSHES, repeatedExtensions: 0, refusing: 0, fetches: false };
}
