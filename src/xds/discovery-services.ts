import type * as grpc from '@grpc/grpc-js';
import {
  CLUSTER_TYPE,
  ENDPOINT_TYPE,
  EXTENSION_CONFIG_TYPE,
  LISTENER_TYPE,
  ROUTE_TYPE,
  RUNTIME_TYPE,
  SECRET_TYPE,
} from '../model/type-url.ts';
import type { ProtocolForm } from './stream/channel.ts';

/** A streaming method of the discovery services; one without a type is for all types (ADS). */
export interface DiscoveryMethod {
  readonly path: string;
  readonly form: ProtocolForm;
  readonly typeUrl?: string;
}

/** Service, its incremental method, its method for the state of the world, its type; from envoy/service, release 1.40. */
const SERVICES: readonly (readonly [string, string, string, string?])[] = [
  ['discovery.v3.AggregatedDiscoveryService', 'DeltaAggregatedResources', 'StreamAggregatedResources'],
  ['cluster.v3.ClusterDiscoveryService', 'DeltaClusters', 'StreamClusters', CLUSTER_TYPE],
  ['endpoint.v3.EndpointDiscoveryService', 'DeltaEndpoints', 'StreamEndpoints', ENDPOINT_TYPE],
  ['listener.v3.ListenerDiscoveryService', 'DeltaListeners', 'StreamListeners', LISTENER_TYPE],
  ['route.v3.RouteDiscoveryService', 'DeltaRoutes', 'StreamRoutes', ROUTE_TYPE],
  ['secret.v3.SecretDiscoveryService', 'DeltaSecrets', 'StreamSecrets', SECRET_TYPE],
  ['runtime.v3.RuntimeDiscoveryService', 'DeltaRuntime', 'StreamRuntime', RUNTIME_TYPE],
  [
    'extension.v3.ExtensionConfigDiscoveryService',
    'DeltaExtensionConfigs',
    'StreamExtensionConfigs',
    EXTENSION_CONFIG_TYPE,
  ],
];

export const DISCOVERY_METHODS: readonly DiscoveryMethod[] = SERVICES.flatMap(
  ([service, delta, sotw, typeUrl]) => {
    const type = typeUrl === undefined ? {} : { typeUrl };
    return [
      { path: `/envoy.service.${service}/${delta}`, form: 'delta', ...type } as const,
      { path: `/envoy.service.${service}/${sotw}`, form: 'sotw', ...type } as const,
    ];
  },
);

const BY_PATH = new Map(DISCOVERY_METHODS.map(method => [method.path, method]));

/** undefined: it is none of the discovery services. */
export function methodOf(path: string): DiscoveryMethod | undefined {
  return BY_PATH.get(path);
}

/** The full name of the service of a method. */
export function serviceOf(path: string): string {
  return path.split('/')[1] ?? '';
}

const bytes = (message: Buffer): Buffer => message;

/** A method whose messages pass through as bytes. */
export function toByteMethod(path: string, responseStream: boolean): grpc.MethodDefinition<Buffer, Buffer> {
  return {
    path,
    requestStream: true,
    responseStream,
    requestSerialize: bytes,
    requestDeserialize: bytes,
    responseSerialize: bytes,
    responseDeserialize: bytes,
  };
}
