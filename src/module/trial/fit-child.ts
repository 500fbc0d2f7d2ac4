import type { ChildCost, TrialEvent } from './trial-protocol.ts';

/** Then a child has served; what a run leaves in the engine (compiled code, garbage) does not add up further. */
const MOST_RUNS = 50;
/** Of a plugin's linear memory, pages: 16 MiB. With more it may be the next one that finds too little. */
const MOST_PAGES = 256;
/** A child that has run nothing has 53 MiB, most of it shared with its server. */
const MOST_RESIDENT_MIB = 128;
/** Of what SMALL gives: the rest is more than a run's own limit. */
const MOST_PROCESSOR_MS = 10_000;

/**
 * Whether a child may run its module once more: its last run, of so many, went well up to the end, and took little.
 * After a refusal, a trap, a loop, memory that grew, it is not used again.
 */
export function isFit(events: readonly TrialEvent[], runs: number): boolean {
  const end = events.find(event => event.kind === 'end');
  const last = events.at(-1);
  if (runs >= MOST_RUNS || end?.outcome !== 'ok' || last?.kind !== 'left' || last.reason !== '') return false;
  return end.memoryPages <= MOST_PAGES && last.cost !== undefined && takesLittle(last.cost);
}

function takesLittle({ residentMiB, processorMs }: ChildCost): boolean {
  return residentMiB <= MOST_RESIDENT_MIB && processorMs <= MOST_PROCESSOR_MS;
}
