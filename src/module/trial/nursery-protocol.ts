import type { TrialBounds } from './trial-bounds.ts';
import type { TrialOrder } from './trial-protocol.ts';
import type { TrialResult } from './trial-result.ts';

/** What the nursery's process is told. */
export type NurseryOrder =
  /** Start a child ahead, unless one waits. */
  | { readonly kind: 'prepare' }
  | {
      readonly kind: 'run';
      readonly id: number;
      readonly bytes: Uint8Array;
      readonly order: TrialOrder;
      readonly bounds: TrialBounds;
    }
  /** This run is not wanted any more. */
  | { readonly kind: 'end'; readonly id: number };

/** What it tells of each run, once its child is gone; no result: it was not wanted any more. */
export interface NurseryAnswer {
  readonly id: number;
  readonly result?: TrialResult;
}
