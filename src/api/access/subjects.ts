import type { Subject } from '../../model/access.ts';
import type { Assignment, Side } from '../../model/assignment.ts';
import { toEffectiveNode } from '../../model/effective-node.ts';
import { type PluginSpec, toPluginName } from '../../model/plugin-spec.ts';
import { parseRolloutId, type Rollout } from '../../model/rollout.ts';
import type { Reach } from '../../model/scope.ts';
import type { Store } from '../../store/store.ts';
import { listRollouts } from '../find-rollout.ts';
import type { About } from './route-access.ts';

/** The parameters of a parsed route. */
export type RouteParams = Readonly<Partial<Record<'namespace' | 'name' | 'type' | 'id', string>>>;

/**
 * What a request is about, as the store has it now. Of what is not there the name alone counts: the route says that it
 * is not there. undefined: it has no subject that could be outside.
 */
export async function readSubject(
  store: Store,
  about: About,
  { namespace = '', name = '', type = '', id = '' }: RouteParams,
): Promise<Subject | undefined> {
  switch (about) {
    case 'server':
    case 'fleet':
    case 'listed':
      return { kind: about };
    case 'plugin':
      return readPluginSubject(store, toPluginName({ namespace, name }));
    case 'rollout':
      return readRolloutSubject(store, id);
    case 'resource': {
      const key = `${type}/${namespace}/${name}`;
      const stored = await store.get('ResourceSpec', key);
      return { kind: 'resource', name: key, reaches: stored === undefined ? [] : [stored.value] };
    }
    case 'pullsecret':
      return { kind: 'pullsecret', namespace, name };
    case 'node':
    case 'whole-node': {
      const [presence, policy] = await Promise.all([
        store.get('NodePresence', id),
        store.get('NodePolicy', id),
      ]);
      if (presence === undefined) return undefined;
      return { kind: about, node: toEffectiveNode(presence.value.node, policy?.value) };
    }
    default:
      return about satisfies never;
  }
}

/**
 * A plugin with all that chooses its nodes: the document, what was proven, and what is under way. `more`: what a change
 * adds.
 */
export async function readPluginSubject(
  store: Store,
  name: string,
  more: readonly Reach[] = [],
): Promise<Extract<Subject, { kind: 'plugin' }>> {
  const [spec, assignment] = await Promise.all([
    store.get('PluginSpec', name),
    store.get('Assignment', name),
  ]);
  return toPluginSubject(name, spec?.value, assignment?.value, more);
}

export function toPluginSubject(
  name: string,
  spec: PluginSpec | undefined,
  assignment: Assignment | undefined,
  more: readonly Reach[],
): Extract<Subject, { kind: 'plugin' }> {
  const { base, moved = [] } = assignment ?? {};
  const sides = [...(base === undefined ? [] : [base]), ...moved.map(({ side }) => side)];
  const reaches = [...(spec === undefined ? [] : [spec]), ...sides.flatMap(toReach), ...more];
  return { kind: 'plugin', name, reaches };
}

/** Where there is no plugin, its placement says nothing. */
function toReach({ revision, placement }: Side): readonly Reach[] {
  return revision === null ? [] : [placement];
}

async function readRolloutSubject(store: Store, id: string): Promise<Subject | undefined> {
  const parsed = parseRolloutId(id);
  if (parsed === undefined) return undefined;
  const rollouts = await listRollouts(store, parsed.plugin);
  const rollout =
    parsed.number === 'latest' ? rollouts[0] : rollouts.find(({ number }) => number === parsed.number);
  return readPluginSubject(store, parsed.plugin, rollout === undefined ? [] : toReaches(rollout));
}

/** The nodes that a rollout went from and to. */
export function toReaches({ from, to }: Pick<Rollout, 'from' | 'to'>): readonly Reach[] {
  return [from, ...(to === null ? [] : [to])].flatMap(toReach);
}
