import type { Reading } from '../loaded/loaded-proof.ts';
import type { Flush } from './decode-metrics.ts';

/** What a flush says of VMs. Envoy drops the counts with the last VM of all. */
export function toReading(flush: Flush): Reading {
  return {
    created: flush.vmCreated ?? 0,
    active: flush.vmActive ?? 0,
    reloaded: flush.reloaded,
    workers: flush.workers,
    hasCrashed: [...flush.reloads.values()].some(count => count > 0),
    // A connection manager that never had a request has no count of them yet.
    quiet: flush.requestsActive === 0 || flush.connections === 0,
    hotRestarted: (flush.hotRestartEpoch ?? 0) > 0,
  };
}
