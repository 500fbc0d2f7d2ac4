import type { LiveVms } from './live-parts.ts';

/*
 * How Envoy's two counts of VMs move with a change. Measured on 1.36.2, 1.37.0, 1.39.3 and 1.40.0 with 1, 2 and 4 workers:
 * a new set of VMs is a base, a trial on the main thread that goes again, one for the main thread and one for
 * each worker. A VM that does not start is created all the same, and then goes: only both counts together tell.
 */

/** What the counts say at one time. */
export interface VmCounts {
  /** `wasm.envoy.wasm.runtime.v8.created`: since Envoy's start, or since the last VM of all went. */
  readonly created: number;
  /** `….active`: alive now. */
  readonly active: number;
}

export interface Expected extends VmCounts {
  /** Old VMs are to go, or the warming form's: an open request may keep one that hides a missing new one. */
  readonly needsQuiet: boolean;
}

/**
 * By how much the counts differ once every thread runs what is to run now. `twice`: new VMs that the warming form
 * made as well, from a module that had to be fetched: those go. undefined: the counts could not tell, or nothing changed.
 */
export function expectCounts(
  before: LiveVms,
  now: LiveVms,
  twice: ReadonlySet<string>,
  workers: number,
): Expected | undefined {
  const fresh = [...now.keys()].filter(vm => !before.has(vm));
  const gone = [...before.keys()].filter(vm => !now.has(vm));
  const configured = [...now].filter(([vm, parts]) => before.has(vm) && hasMore(parts, before.get(vm)));
  const changed = [...fresh, ...configured.map(([vm]) => vm)];
  // A VM with a second user lives on when one of them fails in it.
  if (changed.length === 0 || changed.some(vm => now.get(vm)?.size !== 1)) return undefined;
  const warmed = fresh.filter(vm => twice.has(vm)).length;
  return {
    created: (fresh.length + warmed) * (workers + 3) + configured.length,
    active: (fresh.length - gone.length) * (workers + 2),
    needsQuiet: gone.length > 0 || configured.length > 0 || warmed > 0,
  };
}

function hasMore(parts: ReadonlySet<string>, before: ReadonlySet<string> | undefined): boolean {
  return [...parts].some(part => before?.has(part) !== true);
}
