import { type Assignment, isSameAim, type Side } from '../model/assignment.ts';
import type { ModulePlan } from '../model/module-plan.ts';
import { toPluginDocumentSpec } from '../model/plugin-document.ts';
import { type PluginSpec, toPluginName } from '../model/plugin-spec.ts';
import type { Revision } from '../model/revision.ts';
import { isActive } from '../model/rollout.ts';
import { toPlacement } from '../model/rollout-targets.ts';
import { revisionKey } from '../store/record-kinds.ts';
import { findPluginWarnings } from './apply-warnings.ts';
import { type Fleet, findPlugin } from './fleet.ts';
import { toFreezeView } from './freeze.ts';
import { toHeldBackView } from './held-back.ts';
import { planChains } from './plan-chains.ts';
import { diffLeaves } from './plan-diff.ts';
import { toModuleView } from './plan-module-view.ts';
import { planRollout } from './plan-rollout.ts';
import { assignmentOf, newestSide, type PlanState, withAssignment, withDocument } from './plan-state.ts';
import { findPlanTargets } from './plan-targets.ts';
import { statusOf } from './plugin-status-of.ts';
import type { PluginPlan } from './schema/plan-view.ts';

/** A plugin's document as it would be stored; with `deleted` it is a delete. */
export interface PluginChange {
  readonly spec: PluginSpec;
  /** null: a delete; undefined: the module was not looked at, so that only the document is planned. */
  readonly module: ModulePlan | null | undefined;
}

export interface Planned<P> {
  readonly plan: P;
  /** As if it were stored and rolled out. */
  readonly after: PlanState;
}

/** What applying or deleting a plugin would do, from records alone. Pure. */
export function planPlugin(state: PlanState, { spec, module }: PluginChange): Planned<PluginPlan> {
  const plugin = toPluginName(spec);
  const revision = module?.kind === 'revision' ? module.revision : undefined;
  const problem = module?.kind === 'problem' ? module.problem : undefined;
  const fleet = withDocument(state.fleet, plugin, spec, revision);
  const assignment = assignmentOf(fleet, plugin, spec.createdAt);
  const now = newestSide(assignment);
  const to = module === null || revision !== undefined ? toSide(spec, revision, now) : null;
  const held = to === null ? null : findHeld(fleet, spec);
  const moves = to !== null && held === null && !isUnderWay(fleet, assignment, to);
  const after = moves ? moveAll(fleet, assignment, to) : assignment;
  const { targets, outside } = findPlanTargets(fleet, spec, assignment, to ?? now);
  const { chains, ties } = planChains({ ...state, fleet }, assignment, after);
  const changes = findChanges(state.fleet, spec);
  const known = revisionOf(fleet, plugin, now.revision);
  const rollout = moves ? planRollout(fleet, spec, targets) : null;
  const result = toResult(state.fleet, spec, changes, { failed: problem !== undefined, held: held !== null });
  const isElsewhere = to !== null && to.revision !== now.revision;
  const plan: PluginPlan = {
    kind: 'PluginPlan',
    plugin,
    result,
    differs:
      result === 'created' || result === 'deleted' || changes.length > 0 || rollout !== null || isElsewhere,
    before: now.revision,
    after: to?.revision ?? null,
    newRevision: module?.kind === 'revision' && module.isNew,
    title: toTitle(now, to),
    changes,
    module: module == null ? null : toModuleView(spec, known, revision),
    problem: problem === undefined ? null : { ...problem, hint: problem.hint ?? null },
    chains: to === null ? [] : chains,
    rollout,
    outside,
    held,
    frozen: fleet.freeze === undefined ? null : toFreezeView(fleet.freeze),
    warnings: [...findWarnings(fleet, spec), ...(to === null ? [] : ties)],
  };
  return { plan, after: { ...state, fleet: withAssignment(fleet, after) } };
}

function toSide(spec: PluginSpec, revision: Revision | undefined, now: Side): Side {
  return { revision: revision?.number ?? null, placement: toPlacement(spec), format: now.format };
}

/** Of a delete the title says it all. */
function findChanges(fleet: Fleet, spec: PluginSpec): PluginPlan['changes'] {
  if (spec.deleted !== undefined) return [];
  const stored = findPlugin(fleet, toPluginName(spec));
  const before = stored === undefined ? undefined : toPluginDocumentSpec(stored.value);
  return diffLeaves(before, toPluginDocumentSpec(spec), 'spec');
}

function findHeld(fleet: Fleet, spec: PluginSpec): PluginPlan['held'] {
  const stored = fleet.specs.get(toPluginName(spec));
  return stored === undefined ? null : toHeldBackView(fleet, stored.key, statusOf(fleet, stored));
}

/** The nodes have it, or a rollout is bringing it to them. */
function isUnderWay(fleet: Fleet, assignment: Assignment, to: Side): boolean {
  const active = fleet.rollouts.get(assignment.plugin)?.find(isActive);
  if (
    active !== undefined &&
    active.phase !== 'RollingBack' &&
    active.to !== null &&
    isSameAim(active.to, to)
  )
    return true;
  return active === undefined && assignment.moved.length === 0 && isSameAim(assignment.base, to);
}

/** The end of a rollout: everybody is on the new side but those that a person took out. */
function moveAll(fleet: Fleet, assignment: Assignment, side: Side): Assignment {
  const except = [...fleet.policies.values()]
    .filter(policy => policy.excluded !== undefined)
    .map(({ node }) => node);
  const entry = { rollout: 'planned', side, nodes: 'everyone', except, since: fleet.now } as const;
  return { ...assignment, moved: [...assignment.moved, entry] };
}

function revisionOf(fleet: Fleet, plugin: string, number: number | null): Revision | undefined {
  return number === null ? undefined : fleet.revisions.get(revisionKey(plugin, number));
}

function toResult(
  before: Fleet,
  spec: PluginSpec,
  changes: PluginPlan['changes'],
  { failed, held }: { readonly failed: boolean; readonly held: boolean },
): PluginPlan['result'] {
  if (spec.deleted !== undefined) return 'deleted';
  if (failed) return 'failed';
  if (held) return 'held-back';
  const stored = findPlugin(before, toPluginName(spec));
  if (stored === undefined) return 'created';
  return changes.length === 0 && stored.value.deleted === undefined ? 'unchanged' : 'configured';
}

/** `revision 1 → 2`, `revision 1`, `– → revision 1`, `revision 2 → none`, `revision 2, other nodes` */
function toTitle(now: Side, to: Side | null): string {
  const before = now.revision === null ? '–' : `revision ${now.revision}`;
  if (to === null) return `${before} → not known`;
  if (to.revision === null) return now.revision === null ? 'none' : `${before} → none`;
  if (now.revision === null) return `– → revision ${to.revision}`;
  if (now.revision !== to.revision) return `${before} → ${to.revision}`;
  return isSameAim(now, to) ? before : `${before}, other nodes`;
}

function findWarnings(fleet: Fleet, spec: PluginSpec): string[] {
  return spec.deleted === undefined ? findPluginWarnings(fleet, spec) : [];
}
