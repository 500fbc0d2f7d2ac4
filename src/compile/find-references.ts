import type { JsonObject, JsonValue } from '../model/plugin-spec.ts';
import { type ResourceSpec, toEnvoyName } from '../model/resource.ts';
import type { FindReferences, ResourceReference } from '../model/resource-facts.ts';
import { isObject } from './decoded-listener.ts';
import { type KnownTypes, type SetField, walkFields } from './json-walk.ts';
import { Memo } from './memo.ts';

/** Fields whose text, or texts, name a cluster: `<message>.<field>`. */
const CLUSTER_FIELDS: ReadonlySet<string> = new Set([
  '.envoy.config.route.v3.RouteAction.cluster',
  '.envoy.config.route.v3.WeightedCluster.ClusterWeight.name',
  '.envoy.config.route.v3.RouteAction.RequestMirrorPolicy.cluster',
  '.envoy.config.core.v3.HttpUri.cluster',
  '.envoy.config.core.v3.GrpcService.EnvoyGrpc.clusterName',
  '.envoy.config.core.v3.ApiConfigSource.clusterNames',
  '.envoy.extensions.clusters.aggregate.v3.ClusterConfig.clusters',
  '.envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy.cluster',
  '.envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy.WeightedCluster.ClusterWeight.name',
  '.envoy.extensions.filters.udp.udp_proxy.v3.Route.cluster',
]);
const RDS = '.envoy.extensions.filters.network.http_connection_manager.v3.Rds';
const SDS = '.envoy.extensions.transport_sockets.tls.v3.SdsSecretConfig';
const CLUSTER = '.envoy.config.cluster.v3.Cluster';

/** References of documents that are kept: a plan asks for those of all of them. */
const MAX_REMEMBERED = 10_000;

/** The port by which the api learns what resources need of each other. */
export function makeFindReferences(types: KnownTypes): FindReferences {
  const known = new Memo<readonly ResourceReference[]>(MAX_REMEMBERED);
  // A plan asks often for one and the same; a document that is read again is another object.
  const ofSpec = new WeakMap<ResourceSpec, readonly ResourceReference[]>();
  return spec => {
    const found = ofSpec.get(spec) ?? known.get(JSON.stringify(spec.resource), () => collect(types, spec));
    ofSpec.set(spec, found);
    return found;
  };
}

function collect(types: KnownTypes, { resource }: ResourceSpec): readonly ResourceReference[] {
  const found = new Map<string, ResourceReference>();
  walkFields(types, resource, at => {
    for (const reference of readReferences(at)) {
      const key = `${reference.type} ${reference.name}`;
      if (reference.name !== '' && !found.has(key)) found.set(key, reference);
    }
    return true;
  });
  return [...found.values()];
}

function readReferences({ type, message, field, value, pointer }: SetField): readonly ResourceReference[] {
  const path = `${type.fullName}.${field.name}`;
  if (CLUSTER_FIELDS.has(path)) return texts(value).map(name => ({ type: 'clusters', name, pointer }));
  if (path === `${RDS}.routeConfigName` && overAds(message, 'config_source', 'configSource'))
    return texts(value).map(name => ({ type: 'routes', name, pointer }));
  if (path === `${SDS}.name` && overAds(message, 'sds_config', 'sdsConfig'))
    return texts(value).map(name => ({ type: 'secrets', name, pointer }));
  if (path === `${CLUSTER}.edsClusterConfig`) return readEndpoints(message, value, pointer);
  return [];
}

/** Envoy asks for a cluster's endpoints by its `service_name`, else by its own name. */
function readEndpoints(
  cluster: JsonObject,
  config: JsonValue,
  pointer: string,
): readonly ResourceReference[] {
  const isEds = cluster.type === 3 || String(cluster.type).toUpperCase() === 'EDS';
  if (!isObject(config) || !isEds) return [];
  if (!overAds(config, 'eds_config', 'edsConfig')) return [];
  const written = config.service_name ?? config.serviceName;
  const name = typeof written === 'string' && written !== '' ? written : toEnvoyName(cluster);
  return name === undefined ? [] : [{ type: 'endpoints', name, pointer }];
}

/** Whether a config source means the stream that we are on. */
function overAds(message: JsonObject, ...keys: readonly string[]): boolean {
  const source = keys.map(key => message[key]).find(isObject);
  return source !== undefined && ('ads' in source || 'self' in source);
}

function texts(value: JsonValue): readonly string[] {
  return [value].flat().filter(one => typeof one === 'string');
}
