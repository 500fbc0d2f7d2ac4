import type { EncodedResource } from '../../model/resource.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import {
  CLUSTER_TYPE,
  ENDPOINT_TYPE,
  EXTENSION_CONFIG_TYPE,
  SECRET_TYPE,
  XDS_TYPES,
} from '../../model/type-url.ts';
import { resourcesOf } from './asked.ts';
import { type Difference, type Due, diff, type Subscription } from './subscription.ts';

/** What a stream asked for of one type. */
export interface Asked {
  readonly typeUrl: string;
  readonly state: Subscription;
}

/** What to do next on the streams of a process, apart from extension configs. */
export interface Plan<T extends Asked> {
  readonly push: { readonly asked: T; readonly difference: Difference } | undefined;
  /** Clusters and endpoints are all out, so an extension config may name them. */
  readonly clustersOut: boolean;
}

/** Nothing is due, and nothing that an extension config would wait for. */
export const ALL_OUT = { push: undefined, clustersOut: true };
const TYPES = XDS_TYPES.filter(type => type.typeUrl !== EXTENSION_CONFIG_TYPE);

/**
 * Make before break: additions and changes in the order of the types, none ahead of an earlier type's that are
 * not answered yet (but see waitsFor); removals last, in reverse, one type at a time. One response of a type is un-ACKed at
 * most.
 * https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#eventual-consistency-considerations
 */
export function planPush<T extends Asked>(
  everything: readonly T[],
  snapshot: Snapshot,
  mayChange: (resource: EncodedResource) => boolean,
): Plan<T> {
  if (everything.length === 0) return ALL_OUT;
  const differences = TYPES.flatMap(({ typeUrl }) =>
    everything
      .filter(asked => asked.typeUrl === typeUrl)
      .map(asked => {
        const resources = resourcesOf(snapshot, typeUrl);
        return { asked, state: asked.state, difference: diff(asked.state, resources, mayChange) };
      }),
  );
  const due = differences.filter(({ difference }) => isDue(difference));
  const clustersOut = !differences.some(
    ({ asked: { typeUrl }, difference }) =>
      (typeUrl === CLUSTER_TYPE || typeUrl === ENDPOINT_TYPE) && difference.resources.length > 0,
  );
  if (due.length > 0) {
    const newerClusters = due.some(
      ({ asked, difference }) => asked.typeUrl === CLUSTER_TYPE && !isOut(asked, difference),
    );
    // Streams of one type do not wait for each other.
    for (const { asked, difference } of due) {
      const { state, typeUrl } = asked;
      if (state.inFlight !== undefined) continue;
      if (due.some(other => waitsFor(typeUrl, other.asked.typeUrl))) continue;
      const isAhead = typeUrl === ENDPOINT_TYPE && newerClusters;
      // Of these only what the clusters that are out wait for.
      const resources = difference.resources.filter(({ name }) => !isAhead || state.asked.has(name));
      if (isDue({ ...difference, resources }))
        return { push: { asked, difference: { resources, removed: difference.missing } }, clustersOut };
    }
    return { push: undefined, clustersOut };
  }
  if (differences.some(({ state }) => state.inFlight !== undefined)) return { push: undefined, clustersOut };
  const last = differences.findLast(({ difference }) => difference.removed.length > 0);
  return {
    push: last && { asked: last.asked, difference: { resources: [], removed: last.difference.removed } },
    clustersOut,
  };
}

/**
 * Envoy answers for clusters only when they are warm, and for that it needs their endpoints and secrets: these do not wait
 * for the answer. What is due of an earlier type and not out yet goes first all the same.
 */
function waitsFor(typeUrl: string, earlier: string): boolean {
  if (orderOf(earlier) >= orderOf(typeUrl)) return false;
  return typeUrl !== SECRET_TYPE && !(typeUrl === ENDPOINT_TYPE && earlier === CLUSTER_TYPE);
}

function isDue({ resources, missing, greets }: Due): boolean {
  return resources.length + missing.length > 0 || greets;
}

/** Nothing newer than what is un-ACKed is due. */
function isOut({ state: { inFlight } }: Asked, { resources }: Difference): boolean {
  return resources.every(({ name, version }) => inFlight?.sent.get(name) === version);
}

function orderOf(typeUrl: string): number {
  return TYPES.findIndex(type => type.typeUrl === typeUrl);
}
