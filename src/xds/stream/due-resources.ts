import type { EncodedResource } from '../../model/resource.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import type { FormerSet } from '../sotw/resource-set.ts';
import { type Asked, resourcesOf } from './asked.ts';
import { ALL_OUT, type Plan, planPush } from './plan-push.ts';
import { askAgain } from './warming-clusters.ts';

/** What decides beside what was asked for. */
export interface Known {
  readonly snapshot: Snapshot;
  /** By type what the process had when the stream before this one ended. */
  readonly formerSets: ReadonlyMap<string, FormerSet | undefined>;
  /** Clusters whose endpoints are asked for anew. */
  readonly endpointsAwaited: ReadonlySet<string>;
}

/** What to send next of all that is asked for, extension configs apart. */
export function findDueResources(
  everything: readonly Asked[],
  { snapshot, formerSets, endpointsAwaited }: Known,
  mayChange: (resource: EncodedResource) => boolean,
): Plan<Asked> {
  if (isQuiet(everything, snapshot)) return ALL_OUT;
  for (const asked of everything) {
    const resources = resourcesOf(snapshot, asked.typeUrl);
    const settled = asked.channel.settle(asked.state, resources, formerSets.get(asked.typeUrl));
    asked.state = askAgain(settled, asked.typeUrl, endpointsAwaited, resources);
  }
  let holdsBack = false;
  const plan = planPush(everything, snapshot, resource => {
    const may = mayChange(resource);
    holdsBack ||= !may;
    return may;
  });
  if (plan.push === undefined && plan.clustersOut && !holdsBack) noteQuiet(everything, snapshot);
  return plan;
}

/** Nothing is due, and nothing is held back that will be. */
function noteQuiet(everything: readonly Asked[], snapshot: Snapshot): void {
  for (const asked of everything)
    asked.quiet = { state: asked.state, resources: resourcesOf(snapshot, asked.typeUrl) };
}

/** Whether nothing can be due: most changes of a fleet are about its places alone, and this is asked twice for each node. */
function isQuiet(everything: readonly Asked[], snapshot: Snapshot): boolean {
  return everything.every(
    ({ state, typeUrl, quiet }) =>
      quiet?.state === state && isSameSet(quiet.resources, resourcesOf(snapshot, typeUrl)),
  );
}

type Resources = ReadonlyMap<string, EncodedResource>;

/** By the newer set: all nodes of a group go from the same to the same. */
const compared = new WeakMap<Resources, { readonly former: WeakRef<Resources>; readonly isSame: boolean }>();

function isSameSet(former: Resources, now: Resources): boolean {
  if (former === now) return true;
  const known = compared.get(now);
  if (known?.former.deref() === former) return known.isSame;
  const isSame =
    former.size === now.size && [...now.values()].every(it => former.get(it.name)?.version === it.version);
  compared.set(now, { former: new WeakRef(former), isSame });
  return isSame;
}
