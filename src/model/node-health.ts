import type { NodeMetrics } from './node-metrics.ts';
import type { PluginName } from './plugin-spec.ts';
import type { RequestCount } from './rollout.ts';

/** What tells whether a node broke when it was moved. */
export interface HealthFacts {
  /** Of the moved node. */
  readonly metrics: NodeMetrics | undefined;
  /** When it was moved, ms. */
  readonly movedAt: number;
  /** What it answered in the minute before. */
  readonly before: RequestCount | undefined;
  /** Of connected nodes that were not moved. */
  readonly others: readonly (NodeMetrics | undefined)[];
}

/** A node that answers mostly 5xx since it was moved, with both rates. */
export interface Breakage {
  readonly requests: number;
  readonly errors5xx: number;
  readonly overMs: number;
  /** What it is compared with; nodes 0: with itself before. */
  readonly control: RequestCount & { readonly nodes: number };
}

export function isBroken(facts: HealthFacts): boolean {
  return findBreakage(facts) !== undefined;
}

export function findBreakage(_facts: HealthFacts): Breakage | undefined {
  throw new Error('not there yet');
}

/** By how much a plugin's VMs were reloaded (crashes under FAIL_RELOAD) since a time, ms. */
export function reloadsSince(_metrics: NodeMetrics | undefined, _plugin: PluginName, _since: number): number {
  throw new Error('not there yet');
}
