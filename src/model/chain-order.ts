import { PHASES, type Phase, type PluginName, parsePluginName } from './plugin-spec.ts';

/** What decides where a plugin stands in a chain. */
export interface ChainLink {
  readonly plugin: PluginName;
  readonly phase: Phase;
  readonly priority: number;
  /** When the plugin was created, ms. */
  readonly createdAt: number;
}

/** What puts one plugin before another: the first of these in which they differ. */
export type OrderCause = 'phase' | 'priority' | 'namespace-before-root' | 'age' | 'name' | 'namespace';

/** Chain order: phase, higher priority, own namespace before root, creation time, name, namespace. Total. */
export function compareInChain(rootNamespace: string): (a: ChainLink, b: ChainLink) => number {
  return (a, b) => compare(a, b, rootNamespace).order;
}

/** Why `a` and `b` stand in the order they do; undefined: they are the same plugin. */
export function findOrderCause(a: ChainLink, b: ChainLink, rootNamespace: string): OrderCause | undefined {
  return compare(a, b, rootNamespace).cause;
}

type Rule = (a: ChainLink, b: ChainLink, rootNamespace: string) => number;

const RULES: readonly (readonly [OrderCause, Rule])[] = [
  ['phase', (a, b) => phaseIndex(a) - phaseIndex(b)],
  ['priority', (a, b) => b.priority - a.priority],
  [
    'namespace-before-root',
    (a, b, root) => Number(namespaceOf(a) === root) - Number(namespaceOf(b) === root),
  ],
  ['age', (a, b) => a.createdAt - b.createdAt],
  ['name', (a, b) => compareText(nameOf(a), nameOf(b))],
  ['namespace', (a, b) => compareText(namespaceOf(a), namespaceOf(b))],
];

function compare(
  a: ChainLink,
  b: ChainLink,
  rootNamespace: string,
): { readonly order: number; readonly cause?: OrderCause } {
  for (const [cause, rule] of RULES) {
    const order = rule(a, b, rootNamespace);
    if (order !== 0) return { order, cause };
  }
  return { order: 0 };
}

function phaseIndex({ phase }: ChainLink): number {
  return PHASES.findIndex(row => row.phase === phase);
}

function namespaceOf({ plugin }: ChainLink): string {
  return parsePluginName(plugin).namespace;
}

function nameOf({ plugin }: ChainLink): string {
  return parsePluginName(plugin).name;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
