import type { TrialBounds } from './trial-bounds.ts';
import type { TrialOrder } from './trial-protocol.ts';
import type { TrialResult } from './trial-result.ts';

/** What the nursery's process is told. */
export type NurseryOrder =
  /** Start a child ahead, unless one waits. */
  | { readonly kind: 'prepare' }
  | NurseryRun
  /** This run is not wanted any more. */
  | { readonly kind: 'end'; readonly id: number };

export interface NurseryRun {
  readonly kind: 'run';
  readonly id: number;
  /** Plugin and module; undefined: its child is used for nothing else. */
  readonly key: string | undefined;
  /** Undefined: a child is thought to be there that has run it before. */
  readonly bytes: Uint8Array | undefined;
  readonly order: TrialOrder;
  readonly bounds: TrialBounds;
}

/** What it tells of each run; no result: it was not wanted any more, or the bytes are. */
export interface NurseryAnswer {
  readonly id: number;
  readonly result?: TrialResult;
  /** Of what a run needs no bytes now. */
  readonly keys: readonly string[];
}
