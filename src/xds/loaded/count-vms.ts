import type { LiveVms } from './live-parts.ts';

/*
 * How Envoy's two counts of Wasm VMs move. Measured on 1.36.2, 1.37.0, 1.39.3 and 1.40.0 with 1, 2 and 4 workers: a new
 * set of VMs is a base, a trial on the main thread that goes again, one for the main thread and one for each
 * worker; a new configuration in a set makes a trial alone. A VM that does not start is created all the same, and
 * goes: only both counts together tell.
 */

/** What the counts say at one time. */
export interface VmCounts {
  /** `wasm.envoy.wasm.runtime.v8.created`: since Envoy's start, or since the last VM of all went. */
  readonly created: number;
  /** `….active`: alive now. */
  readonly active: number;
  /** `vm_reload_success` of all plugins: made in the place of one that crashed. */
  readonly reloaded: number;
}

export function minus(one: VmCounts, other: VmCounts): VmCounts {
  return {
    created: one.created - other.created,
    active: one.active - other.active,
    reloaded: one.reloaded - other.reloaded,
  };
}

/** No VM came and none went, but for some that crashed and are there again. */
export function isUnmoved({ created, active, reloaded }: VmCounts): boolean {
  return active === 0 && reloaded >= 0 && created === reloaded;
}

/** How many VMs of a set are alive. A set that is not in it is not known. */
export type Alive = ReadonlyMap<string, number>;

/** VMs alive in a set when it is whole. */
export function wholeSet(workers: number): number {
  return workers + 2;
}

/** What pushes made and took away, since the counts were read last. */
export interface VmChanges {
  /** Sets and trials that were made, those that are gone again included. */
  readonly sets: number;
  readonly trials: number;
  /** Sets that were made and are to live. */
  readonly made: ReadonlySet<string>;
  /** Older sets in which another plugin configuration is to run now. */
  readonly configured: ReadonlySet<string>;
  /** Older sets that are to go. */
  readonly gone: ReadonlySet<string>;
  /** Whether anything of `made`, or of the warming form, had to go too. */
  readonly hasLeftovers: boolean;
}

export const NO_CHANGES: VmChanges = {
  sets: 0,
  trials: 0,
  made: new Set(),
  configured: new Set(),
  gone: new Set(),
  hasLeftovers: false,
};

/** `twice`: new sets that the warming form made too, from a module that had to be fetched. */
export function addChange(
  changes: VmChanges,
  before: LiveVms,
  now: LiveVms,
  twice: ReadonlySet<string>,
): VmChanges {
  const made = new Set(changes.made);
  const configured = new Set(changes.configured);
  const gone = new Set(changes.gone);
  let { sets, trials, hasLeftovers } = changes;
  for (const [vm, parts] of now) {
    const known = before.get(vm);
    const fresh = [...parts].filter(part => known?.has(part) !== true).length;
    if (fresh === 0) continue;
    trials += known === undefined ? fresh - 1 : fresh;
    if (known === undefined) {
      sets += twice.has(vm) ? 2 : 1;
      hasLeftovers ||= twice.has(vm);
      made.add(vm);
    } else if (made.has(vm)) hasLeftovers = true;
    else configured.add(vm);
  }
  for (const vm of before.keys()) {
    if (now.has(vm)) continue;
    configured.delete(vm);
    if (made.delete(vm)) hasLeftovers = true;
    else gone.add(vm);
  }
  return { sets, trials, made, configured, gone, hasLeftovers };
}

/**
 * What is alive after the changes, of which every thread has heard; `difference` is that of the counts, `isQuiet` says
 * that requests which were begun before have ended. undefined: the counts do not tell, or not yet.
 */
export function countAlive(
  changes: VmChanges,
  alive: Alive,
  now: LiveVms,
  difference: VmCounts,
  workers: number,
  isQuiet: boolean,
): Alive | undefined {
  const { sets, trials, made, configured, gone, hasLeftovers } = changes;
  const touched = [...made, ...configured];
  // A set with a second user lives on where one of them failed in it.
  if (touched.some(vm => now.get(vm)?.size !== 1)) return undefined;
  // What is to go may be kept by a request, and stand in for what is missing.
  const mayLinger = gone.size + configured.size + difference.reloaded > 0 || hasLeftovers;
  if (mayLinger && !isQuiet) return undefined;
  // Nothing else came: no refused try, no VM of others.
  const created = difference.created - difference.reloaded;
  if (difference.reloaded < 0 || created !== sets * (workers + 3) + trials) return undefined;
  const rest = new Map(alive);
  let total = difference.active;
  for (const vm of [...gone, ...configured]) {
    const known = alive.get(vm);
    if (known === undefined) return undefined;
    total += known;
    rest.delete(vm);
  }
  return shareOut(total, touched, wholeSet(workers), rest);
}

/** The touched sets are whole together, or the only one has what is left; of several nobody can tell which. */
function shareOut(
  total: number,
  touched: readonly string[],
  whole: number,
  rest: Map<string, number>,
): Alive | undefined {
  const isWhole = total === touched.length * whole;
  if (!isWhole && (total > touched.length * whole || touched.length === 0)) return undefined;
  for (const vm of touched) if (isWhole || touched.length === 1) rest.set(vm, isWhole ? whole : total);
  return rest;
}
