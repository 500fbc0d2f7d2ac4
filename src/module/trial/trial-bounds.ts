import type { ChildBounds } from './trial-child.ts';

/** How much a child process and its module may take. */
export interface TrialBounds extends ChildBounds {
  /** Of the module's own time. */
  readonly limitMs: number;
}

/** Until a child has read its module. */
export const START_LIMIT_MS = 30_000;
const MOST_LIMIT_MS = 30_000;
const processorS = toProcessorS(MOST_LIMIT_MS);

/** Enough for most plugins, and little for a host that tries many. */
export const SMALL: ChildBounds = { memoryPages: 2048, heapMiB: 128, isOptimized: false, processorS };
/** What Envoy gives: nothing is refused that was not tried so. */
export const AS_ENVOY: ChildBounds = { memoryPages: 16_384, heapMiB: 512, isOptimized: true, processorS };

/** 2 s and a second for each MB, at most 30 s. */
export function toLimitMs(sizeBytes: number): number {
  return Math.min(2_000 + Math.ceil(sizeBytes / 1000), MOST_LIMIT_MS);
}

/** What the system gives to a process whose module has a limit: it only counts when nobody is left to hold to that. */
export function toProcessorS(limitMs: number): number {
  return Math.ceil((2 * limitMs + START_LIMIT_MS) / 1000);
}
