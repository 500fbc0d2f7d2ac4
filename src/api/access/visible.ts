import { findDenial, type Grant, type Subject } from '../../model/access.ts';
import type { PluginName } from '../../model/plugin-spec.ts';
import type { Rollout } from '../../model/rollout.ts';
import { isEverything, type Reach } from '../../model/scope.ts';
import { type CallContext, readNow } from '../api-context.ts';
import type { Fleet } from '../fleet.ts';
import { toPluginSubject, toReaches } from './subjects.ts';

/** What the caller may see of what there is now: what is outside of the scope is in no list and no count. */
export async function readVisible(context: CallContext): Promise<Fleet> {
  return toVisibleFleet(await readNow(context), context.caller);
}

/** Whether a reader may see something. */
export function isVisible(grant: Grant, subject: Subject, rootNamespace: string): boolean {
  return findDenial(grant, 'viewer', subject, rootNamespace) === undefined && !isForgotten(grant, subject);
}

/**
 * Of a plugin that is gone nobody knows any more which nodes it was for: what is left to read of it, events and for a
 * while revisions, is outside of any labels. Who applies one of that name begins anew.
 */
export function isForgotten({ scope }: Grant, subject: Subject): boolean {
  return scope.nodes !== undefined && subject.kind === 'plugin' && subject.reaches.length === 0;
}

/** The same fleet for who may see everything. */
export function toVisibleFleet(fleet: Fleet, grant: Grant): Fleet {
  if (isEverything(grant.scope)) return fleet;
  const { rootNamespace } = fleet;
  const seesPlugin = toPluginSight(fleet, grant);
  const nodes = fleet.nodes.filter(({ node }) => isVisible(grant, { kind: 'node', node }, rootNamespace));
  const ids = new Set(nodes.map(({ node }) => node.id));
  const rollouts = keep(fleet.rollouts, name => seesPlugin(name));
  const seesRollout = (rollout: Rollout): boolean => seesPlugin(rollout.plugin, toReaches(rollout));
  return {
    ...fleet,
    specs: keep(fleet.specs, name => seesPlugin(name)),
    progress: keep(fleet.progress, name => seesPlugin(name)),
    assignments: keep(fleet.assignments, name => seesPlugin(name)),
    nodes,
    claims: keep(fleet.claims, id => ids.has(id)),
    verdicts: keep(fleet.verdicts, id => ids.has(id)),
    policies: keep(fleet.policies, id => ids.has(id)),
    rollouts: new Map([...rollouts].map(([name, all]) => [name, all.filter(seesRollout)])),
    quarantines: fleet.quarantines.filter(({ plugin }) => seesPlugin(plugin)),
  };
}

export type PluginSight = (name: PluginName, more?: readonly Reach[]) => boolean;

/** A plugin is seen where all that chooses its nodes keeps to the scope. */
export function toPluginSight({ specs, assignments, rootNamespace }: Fleet, grant: Grant): PluginSight {
  return (name, more = []) => {
    const subject = toPluginSubject(name, specs.get(name)?.value, assignments.get(name), more);
    return isVisible(grant, subject, rootNamespace);
  };
}

function keep<V>(map: Iterable<[string, V]>, wanted: (key: string) => boolean): ReadonlyMap<string, V> {
  return new Map([...map].filter(([key]) => wanted(key)));
}
