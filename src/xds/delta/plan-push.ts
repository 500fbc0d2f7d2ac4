import type { EncodedResource } from '../../model/resource.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import { CLUSTER_TYPE, ENDPOINT_TYPE, EXTENSION_CONFIG_TYPE, XDS_TYPES } from '../../model/type-url.ts';
import { type Difference, diff, type Subscription } from './subscription.ts';

/** What to do next on a stream, apart from extension configs. */
export interface Plan {
  readonly push: { readonly typeUrl: string; readonly difference: Difference } | undefined;
  /** Clusters and endpoints are all out, so an extension config may name them. */
  readonly clustersOut: boolean;
}

const NOTHING: ReadonlyMap<string, EncodedResource> = new Map();
const TYPES = XDS_TYPES.filter(type => type.typeUrl !== EXTENSION_CONFIG_TYPE);

/**
 * Make before break: additions and changes in the order of the types, none ahead of an earlier type's that are
 * not answered yet; removals last, in reverse, one type at a time. One response of a type is un-ACKed at most.
 * https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#eventual-consistency-considerations
 */
export function planPush(
  subscriptions: ReadonlyMap<string, Subscription>,
  snapshot: Snapshot,
  mayChange: (resource: EncodedResource) => boolean,
): Plan {
  const differences: { typeUrl: string; state: Subscription; difference: Difference }[] = [];
  for (const { typeUrl } of TYPES) {
    const state = subscriptions.get(typeUrl);
    if (state === undefined) continue;
    const difference = diff(state, snapshot.resources.get(typeUrl) ?? NOTHING, mayChange);
    differences.push({ typeUrl, state, difference });
  }
  const first = differences.find(
    ({ state, difference }) => difference.resources.length > 0 || (state.owesGreeting && state.wildcard),
  );
  const clustersOut = !differences.some(
    ({ typeUrl, difference }) =>
      (typeUrl === CLUSTER_TYPE || typeUrl === ENDPOINT_TYPE) && difference.resources.length > 0,
  );
  if (first !== undefined) {
    const { typeUrl, state, difference } = first;
    const push =
      state.inFlight === undefined
        ? { typeUrl, difference: { resources: difference.resources, removed: [] } }
        : undefined;
    return { push, clustersOut };
  }
  if (differences.some(({ state }) => state.inFlight !== undefined)) return { push: undefined, clustersOut };
  const last = differences.findLast(({ difference }) => difference.removed.length > 0);
  return {
    push: last && {
      typeUrl: last.typeUrl,
      difference: { resources: [], removed: last.difference.removed },
    },
    clustersOut,
  };
}
