import type { Assignment, HeldTarget, Side } from '../model/assignment.ts';
import type { Quarantine } from '../model/fleet-records.ts';
import type { ModuleProgress } from '../model/revision.ts';
import { toPlacement } from '../model/rollout-targets.ts';
import type { RolloutFacts, RolloutRecords } from './rollout-facts.ts';

/** What the newest document asks for, as far as the module stage has got with it. */
export type Desired =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'unusable'; readonly progress: ModuleProgress }
  | { readonly kind: 'side'; readonly side: Side };

export function findDesired({ spec, progress, revisions, format }: RolloutFacts): Desired {
  if (spec === undefined) return { kind: 'unknown' };
  const placement = toPlacement(spec.value);
  if (spec.value.deleted !== undefined) return { kind: 'side', side: { revision: null, placement, format } };
  if (progress === undefined || progress.specRevision < spec.revision) return { kind: 'unknown' };
  switch (progress.state) {
    case 'resolving':
      return { kind: 'unknown' };
    case 'retrying':
    case 'failed':
      return { kind: 'unusable', progress };
    case 'ready': {
      const { revision } = progress;
      if (revision === undefined || !revisions.has(revision)) return { kind: 'unknown' };
      return { kind: 'side', side: { revision, placement, format } };
    }
    default:
      return progress.state satisfies never;
  }
}

/** Why a desired state is not followed; undefined: nothing is in its way. */
export function findHold(
  facts: RolloutFacts,
  { assignment, quarantine }: RolloutRecords,
  side: Side,
): { readonly quarantine?: Quarantine } | undefined {
  const content = findQuarantine(facts, quarantine, side);
  if (content !== undefined) return { quarantine: content };
  const specRevision = facts.spec?.revision ?? 0;
  return isHeldTarget(assignment?.held, { specRevision, revision: side.revision }) ? {} : undefined;
}

/** Content that runs is not kept from where it runs. */
function findQuarantine(
  { revisions }: RolloutFacts,
  quarantine: ReadonlyMap<string, Quarantine>,
  { revision }: Side,
): Quarantine | undefined {
  const hash = revision === null ? undefined : revisions.get(revision)?.contentHash;
  return hash === undefined ? undefined : quarantine.get(hash);
}

/** A hold from before there was a revision is on whatever that document asks for. */
export function isHeldTarget(held: HeldTarget | undefined, target: HeldTarget): boolean {
  if (held?.specRevision !== target.specRevision) return false;
  return held.revision === target.revision || held.revision === null;
}

export function holdTarget(
  { spec }: RolloutFacts,
  assignment: Assignment,
  revision: number | null,
): Assignment {
  return { ...assignment, held: { specRevision: spec?.revision ?? 0, revision } };
}

export function withoutHold({ held: _held, ...assignment }: Assignment): Assignment {
  return assignment;
}
