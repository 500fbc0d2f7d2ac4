import type { ProcessState } from '../push/process-machine.ts';
import type { SlotState } from '../push/slot-state.ts';
import { expectCounts, type VmCounts } from './count-vms.ts';
import { liveVms, type SlotParts } from './live-parts.ts';
import type { SlotPart } from './loaded-parts.ts';

/** All that is pushed to a process between two flushes of its stats. */
export interface Episode {
  /** The last flush before the first push. */
  readonly before: VmCounts;
  readonly slotsBefore: ReadonlyMap<string, SlotParts>;
  /** Slots whose content changed. */
  readonly changed: ReadonlySet<string>;
  /** When the warming form was pushed to a slot. */
  readonly warmedAt: ReadonlyMap<string, number>;
  /** VMs that the warming form made too, from a module that had to be fetched. */
  readonly twice: ReadonlySet<string>;
}

export function newEpisode(before: VmCounts, slotsBefore: ReadonlyMap<string, SlotParts>): Episode {
  return { before, slotsBefore, changed: new Set(), warmedAt: new Map(), twice: new Set() };
}

/** The episode goes on; undefined: too much happened for two counts to tell. */
export function followEpisode(
  episode: Episode,
  state: ProcessState,
  before: ReadonlyMap<string, SlotParts>,
  now: ReadonlyMap<string, SlotParts>,
): Episode | undefined {
  const changed = findChanged(before, now);
  const again = changed.some(slot => episode.changed.has(slot));
  const isGone = [...before.keys()].some(slot => !now.has(slot));
  if (again || isGone) return undefined;
  const warmedAt = noteWarm(episode.warmedAt, state.slots);
  if (changed.length === 0) return warmedAt === episode.warmedAt ? episode : { ...episode, warmedAt };
  const twice = changed.flatMap(slot => findFetched(now.get(slot), warmedAt.get(slot), state));
  return {
    ...episode,
    warmedAt,
    changed: new Set([...episode.changed, ...changed]),
    twice: new Set([...episode.twice, ...twice]),
  };
}

/** Slots that have another content than before. */
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

function findFetched(
  content: SlotParts | undefined,
  since: number | undefined,
  { downloads }: ProcessState,
): readonly string[] {
  if (since === undefined) return [];
  const isFetched = (module: string) => downloads.get(module)?.some(get => get.startedAt >= since) === true;
  return (content?.parts ?? []).filter(it => isFetched(it.moduleSha256)).map(it => it.vm);
}

/** What runs on every worker if the counts are now these; empty: they do not prove it. */
export function findProven(
  { before, slotsBefore, changed, twice }: Episode,
  now: ReadonlyMap<string, SlotParts>,
  counts: VmCounts & { readonly workers: number },
  wasQuiet: boolean,
): readonly SlotPart[] {
  const [vmsBefore, vmsNow] = [liveVms(slotsBefore), liveVms(now)];
  if (vmsBefore === undefined || vmsNow === undefined) return [];
  const expected = expectCounts(vmsBefore, vmsNow, twice, counts.workers);
  if (expected === undefined || (expected.needsQuiet && !wasQuiet)) return [];
  if (counts.created - before.created !== expected.created) return [];
  if (counts.active - before.active !== expected.active) return [];
  return [...changed].flatMap(slot =>
    (now.get(slot)?.parts ?? [])
      .filter(part => vmsBefore.get(part.vm)?.has(part.partHash) !== true)
      .map(part => ({ slot, part })),
  );
}
