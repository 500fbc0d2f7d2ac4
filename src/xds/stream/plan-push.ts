import type { EncodedResource } from '../../model/resource.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import {
  CLUSTER_TYPE,
  ENDPOINT_TYPE,
  EXTENSION_CONFIG_TYPE,
  SECRET_TYPE,
  XDS_TYPES,
} from '../../model/type-url.ts';
import { type Difference, diff, type Subscription } from './subscription.ts';

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

const NOTHING: ReadonlyMap<string, EncodedResource> = new Map();
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
  const differences = TYPES.flatMap(({ typeUrl }) =>
    everything
      .filter(asked => asked.typeUrl === typeUrl)
      .map(asked => {
        const resources = snapshot.resources.get(typeUrl) ?? NOTHING;
        return { asked, state: asked.state, difference: diff(asked.state, resources, mayChange) };
      }),
  );
  const due = differences.filter(({ difference }) => difference.resources.length > 0 || difference.greets);
  const clustersOut = !differences.some(
    ({ asked: { typeUrl }, difference }) =>
      (typeUrl === CLUSTER_TYPE || typeUrl === ENDPOINT_TYPE) && difference.resources.length > 0,
  );
  if (due.length > 0) {
    // Streams of one type do not wait for each other.
    const next = due.find(
      ({ asked: { typeUrl }, state }) =>
        state.inFlight === undefined && !due.some(other => waitsFor(typeUrl, other.asked.typeUrl)),
    );
    const push = next && {
      asked: next.asked,
      difference: { resources: next.difference.resources, removed: [] },
    };
    return { push, clustersOut };
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

function orderOf(typeUrl: string): number {
  return TYPES.findIndex(type => type.typeUrl === typeUrl);
}
