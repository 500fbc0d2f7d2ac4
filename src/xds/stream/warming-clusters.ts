import type { EncodedResource } from '../../model/resource.ts';
import { CLUSTER_TYPE, ENDPOINT_TYPE } from '../../model/type-url.ts';
import { readFields } from '../protobuf-fields.ts';
import { covers, type Difference, type Subscription } from './subscription.ts';

/*
 * A cluster whose endpoints come by EDS waits for them whenever it is sent, also for those that Envoy has and that have not
 * changed: without another answer it serves in its old form until a timeout, or not at all. Pure.
 * https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#resource-warming
 */

/** Names of endpoints that clusters wait for, once this is out. */
export function awaitEndpoints(
  awaited: ReadonlySet<string>,
  typeUrl: string,
  { resources }: Difference,
): ReadonlySet<string> {
  if (typeUrl !== CLUSTER_TYPE && typeUrl !== ENDPOINT_TYPE) return awaited;
  const next = new Set(awaited);
  for (const resource of resources) {
    if (typeUrl === ENDPOINT_TYPE) next.delete(resource.name);
    else {
      const endpoints = endpointsOf(resource.any);
      if (endpoints !== undefined) next.add(endpoints);
    }
  }
  return next;
}

/** The endpoints among them that a stream asked for are due again. */
export function askAgain(
  state: Subscription,
  typeUrl: string,
  awaited: ReadonlySet<string>,
  resources: ReadonlyMap<string, EncodedResource>,
): Subscription {
  if (typeUrl !== ENDPOINT_TYPE) return state;
  const names = [...awaited].filter(name => resources.has(name) && covers(state, name));
  return names.length === 0 ? state : { ...state, asked: new Set([...state.asked, ...names]) };
}

const EDS = 3;

/** Under which name the cluster in this google.protobuf.Any asks for its endpoints; undefined: it does not. */
export function endpointsOf(any: Uint8Array): string | undefined {
  let name = '';
  let serviceName = '';
  let type = 0;
  try {
    readFields(any, (field, reader) => {
      if (field !== 2) return false;
      // envoy/config/cluster/v3/cluster.proto
      readFields(reader.bytes(), (part, inner) => {
        if (part === 1) name = inner.string();
        else if (part === 2) type = inner.int32();
        else if (part === 3) serviceName = readServiceName(inner.bytes());
        else return false;
        return true;
      });
      return true;
    });
  } catch {
    // Envoy will say what is wrong with it.
    return undefined;
  }
  return type === EDS ? serviceName || name : undefined;
}

/** Cluster.EdsClusterConfig */
function readServiceName(bytes: Uint8Array): string {
  let serviceName = '';
  readFields(bytes, (field, reader) => {
    if (field !== 2) return false;
    serviceName = reader.string();
    return true;
  });
  return serviceName;
}
