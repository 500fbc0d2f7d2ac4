import type * as grpc from '@grpc/grpc-js';
import { addHealth, HEALTH } from './health-service.ts';
import { addReflection, REFLECTION_SERVICES } from './reflection/reflection-service.ts';
import { loadServiceProtos, type ServiceProtos } from './reflection/service-protos.ts';
import { addCsds, CSDS, type CsdsOptions } from './status/csds-service.ts';

/** What people and probes call on the gRPC port: CSDS, health, reflection. */
export interface DebugServices {
  /** Health says NOT_SERVING from now on. */
  stopping(): void;
}

/** Adds them to a server whose other services are `served`, by full name; health and reflection tell of all of them. */
export function addDebugServices(
  server: grpc.Server,
  served: readonly string[],
  csds: CsdsOptions,
): DebugServices {
  // Most servers are never asked: the protos are read at the first request.
  let loaded: ServiceProtos | undefined;
  const protos = (): ServiceProtos => {
    loaded ??= loadServiceProtos();
    return loaded;
  };
  const services = [...served, CSDS, HEALTH, ...REFLECTION_SERVICES].sort();
  // The port opens when everything is loaded, so whoever can ask is served until we stop.
  const health = addHealth(server, ['', ...services]);
  addCsds(server, protos, csds);
  addReflection(server, () => services, protos);
  return {
    stopping() {
      health.setAll('NOT_SERVING');
    },
  };
}
