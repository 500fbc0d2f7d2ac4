import type { Assignment } from './assignment.ts';
import type { NodeVerdict } from './node-verdict.ts';
import type { PluginName, PluginSpec } from './plugin-spec.ts';
import type { ModuleProgress, Revision } from './revision.ts';
import { isActive, type Rollout } from './rollout.ts';

/**
 * Why the bytes of a revision's module are kept, the strongest first. live: nodes are to run it. wanted: the document
 * asks for it. node: a node said something of it, perhaps runs it. history: a rollout that undo may take back. spare:
 * none of these; the only reason that gives way when room is needed.
 */
export type HoldReason = (typeof HOLD_REASONS)[number];
export const HOLD_REASONS = ['live', 'wanted', 'node', 'history', 'spare'] as const;

export interface ModuleHold {
  readonly plugin: PluginName;
  readonly revision: number;
  readonly why: HoldReason;
}

/** Everything that holds are found from, as of one moment. */
export interface HoldRecords {
  readonly specs: readonly PluginSpec[];
  readonly revisions: readonly Revision[];
  readonly progress: readonly ModuleProgress[];
  readonly assignments: readonly Assignment[];
  /** Of each plugin in the order of their numbers. */
  readonly rollouts: readonly Rollout[];
  readonly verdicts: readonly NodeVerdict[];
  readonly now: number;
}

/** Rollouts of a plugin whose revisions stay, however old they are. */
export const HELD_ROLLOUTS = 10;
/** And all that ended that lately. */
export const HELD_ROLLOUT_MS = 72 * 3_600_000;

/** By the module's hex sha256; a module that is not in it nobody needs. Each revision has its strongest reason. */
export function findModuleHolds(records: HoldRecords): ReadonlyMap<string, readonly ModuleHold[]> {
  const reasons = findReasons(records);
  const existing = new Set(records.specs.map(({ namespace, name }) => `${namespace}/${name}`));
  const held = records.revisions.flatMap(({ plugin, number, module }) => {
    const why = reasons.get(`${plugin} ${number}`) ?? (existing.has(plugin) ? 'spare' : undefined);
    return why === undefined ? [] : [{ sha256: module.sha256, hold: { plugin, revision: number, why } }];
  });
  const groups = Map.groupBy(held, ({ sha256 }) => sha256);
  return new Map([...groups].map(([sha256, group]) => [sha256, group.map(({ hold }) => hold)]));
}

/** Whether a module must stay, whatever room is needed. */
export function isHeld(holds: readonly ModuleHold[] | undefined): boolean {
  return holds?.some(({ why }) => why !== 'spare') === true;
}

/** By `<plugin> <revision>`. */
function findReasons(records: HoldRecords): ReadonlyMap<string, HoldReason> {
  const { assignments, progress, verdicts } = records;
  const found = new Map<string, HoldReason>();
  // The strongest comes last and stays.
  for (const { plugin, from, to } of findHeldRollouts(records))
    for (const side of [from, to]) found.set(`${plugin} ${side?.revision}`, 'history');
  for (const { tried, accepted, refused } of verdicts) {
    const said = refused === null ? [] : [refused];
    for (const { plugin, revision } of [...(tried?.plugins ?? []), ...(accepted?.plugins ?? []), ...said])
      found.set(`${plugin} ${revision}`, 'node');
  }
  for (const { plugin, revision } of progress) found.set(`${plugin} ${revision}`, 'wanted');
  for (const { plugin, base, moved } of assignments)
    for (const { revision } of [base, ...moved.map(({ side }) => side)])
      found.set(`${plugin} ${revision}`, 'live');
  return found;
}

function findHeldRollouts({ rollouts, now }: HoldRecords): readonly Rollout[] {
  return [...Map.groupBy(rollouts, ({ plugin }) => plugin).values()].flatMap(group =>
    group.filter(
      (rollout, index) =>
        index >= group.length - HELD_ROLLOUTS ||
        isActive(rollout) ||
        (rollout.endedAt ?? now) > now - HELD_ROLLOUT_MS,
    ),
  );
}
