import type { ProcessState } from '../push/process-machine.ts';
import type { SlotState } from '../push/slot-state.ts';
import {
  type Alive,
  addChange,
  countAlive,
  minus,
  NO_CHANGES,
  type VmChanges,
  type VmCounts,
  wholeSet,
} from './count-vms.ts';
import { type LiveVms, liveVms, type SlotParts } from './live-parts.ts';
import type { SlotPart } from './loaded-parts.ts';

/** All that was pushed to a process since a flush of its stats. */
export interface Episode {
  readonly before: VmCounts;
  /** What was known to be alive then. */
  readonly alive: Alive;
  readonly changes: VmChanges;
  /** When the warming form was pushed to a slot. */
  readonly warmedAt: ReadonlyMap<string, number>;
}

const NONE_WARMED: Episode['warmedAt'] = new Map();

export function newEpisode(before: VmCounts, alive: Alive): Episode {
  return { before, alive, changes: NO_CHANGES, warmedAt: NONE_WARMED };
}

/** The episode goes on, from what was seen of the slots to what is seen now; undefined: it cannot be told any more. */
export function followEpisode(
  episode: Episode,
  state: ProcessState,
  before: ReadonlyMap<string, SlotParts>,
  now: ReadonlyMap<string, SlotParts>,
): Episode | undefined {
  // A place that Envoy has no more: when its VMs go is not for us to know.
  if (before !== now && [...before.keys()].some(slot => !now.has(slot))) return undefined;
  const warmedAt = noteWarm(episode.warmedAt, state.slots);
  const changed = before === now ? [] : findChanged(before, now);
  if (changed.length === 0) return warmedAt === episode.warmedAt ? episode : { ...episode, warmedAt };
  const [vmsBefore, vmsNow] = [liveVms(before), liveVms(now)];
  if (vmsBefore === undefined || vmsNow === undefined) return undefined;
  // Envoy drops its counts with the last VM of all. Where none of ours is there, others' could do that unseen.
  if (vmsBefore.size === 0 ? episode.before.active > 0 : vmsNow.size === 0) return undefined;
  const twice = changed.flatMap(slot => findFetched(now.get(slot), warmedAt.get(slot), state));
  const left =
    warmedAt.size === 0 ? warmedAt : new Map([...warmedAt].filter(([slot]) => !changed.includes(slot)));
  const changes =
    twice.length === 0
      ? addSharedChange(episode.changes, vmsBefore, vmsNow)
      : addChange(episode.changes, vmsBefore, vmsNow, new Set(twice));
  return { ...episode, changes, warmedAt: left };
}

const NONE_TWICE: ReadonlySet<string> = new Set();

/** By what is to run now: where a fleet makes one change, all of it holds the same three values before. */
const sharedChanges = new WeakMap<
  LiveVms,
  { readonly changes: VmChanges; readonly before: LiveVms; readonly next: VmChanges }
>();

function addSharedChange(changes: VmChanges, before: LiveVms, now: LiveVms): VmChanges {
  const known = sharedChanges.get(now);
  if (known?.changes === changes && known.before === before) return known.next;
  const next = addChange(changes, before, now, NONE_TWICE);
  sharedChanges.set(now, { changes, before, next });
  return next;
}

/** Slots that have another content than before, or none before. */
export function findChanged(
  before: ReadonlyMap<string, SlotParts>,
  now: ReadonlyMap<string, SlotParts>,
): readonly string[] {
  return [...now.keys()].filter(slot => now.get(slot)?.contentHash !== before.get(slot)?.contentHash);
}

function noteWarm(
  known: ReadonlyMap<string, number>,
  slots: ReadonlyMap<string, SlotState>,
): ReadonlyMap<string, number> {
  let next = known;
  for (const [slot, { phase }] of slots) {
    const isWarming = phase.kind !== 'idle' && phase.attempt.variant === 'warming';
    if (isWarming && !next.has(slot)) next = new Map(next).set(slot, phase.attempt.pushedAt);
  }
  return next;
}

/** VMs whose module this process fetched since then. */
function findFetched(
  content: SlotParts | undefined,
  since: number | undefined,
  { downloads }: ProcessState,
): readonly string[] {
  if (since === undefined) return [];
  const isFetched = (module: string) => downloads.get(module)?.some(get => get.startedAt >= since) === true;
  return (content?.parts ?? []).filter(it => isFetched(it.moduleSha256)).map(it => it.vm);
}

export interface Outcome {
  /** Proven to run on every worker. */
  readonly proven: readonly SlotPart[];
  readonly alive: Alive;
}

/** What came of it, once the counts tell; undefined: they do not. */
export function judgeEpisode(
  { before, alive, changes }: Episode,
  now: ReadonlyMap<string, SlotParts>,
  counts: VmCounts & { readonly workers: number },
  isQuiet: boolean,
): Outcome | undefined {
  const vms = liveVms(now);
  if (vms === undefined) return undefined;
  const { workers } = counts;
  const left = countAlive(changes, alive, vms, minus(counts, before), workers, isQuiet);
  if (left === undefined) return undefined;
  const { made, configured } = changes;
  const isProven = (vm: string) => (made.has(vm) || configured.has(vm)) && left.get(vm) === wholeSet(workers);
  const proven = [...now].flatMap(([slot, { parts = [] }]) =>
    parts.filter(part => isProven(part.vm)).map(part => ({ slot, part })),
  );
  return { proven, alive: left };
}
