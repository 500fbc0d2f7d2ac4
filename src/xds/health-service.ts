import { createRequire } from 'node:module';
import type * as grpc from '@grpc/grpc-js';
import type * as library from 'grpc-health-check';

/*
 * The health service of gRPC. https://github.com/grpc/grpc/blob/master/doc/health-checking.md
 * The library reads its .proto when it is loaded, with all that reads .proto files: 60 ms of CPU and 4 MB. Most servers
 * are never asked, so it comes with the first request.
 */

export const HEALTH = 'grpc.health.v1.Health';

type Status = library.ServingStatus;
// biome-ignore lint/suspicious/noExplicitAny: what the messages are the library knows.
type Handlers = Record<string, grpc.UntypedHandleCall & ((...args: any[]) => unknown)>;

const require = createRequire(import.meta.url);

/** Name of the handler, of the method, and whether it goes on answering. */
const METHODS = [
  ['check', 'Check', false],
  ['watch', 'Watch', true],
  ['list', 'List', false],
] as const;

export interface Health {
  /** Of all services. */
  setAll(status: Status): void;
}

/** Serves it for the services of these names; '' is the whole server. They are SERVING until something else is said. */
export function addHealth(server: grpc.Server, names: readonly string[]): Health {
  let status: Status = 'SERVING';
  let loaded: ReturnType<typeof load> | undefined;
  const implementation = (): ReturnType<typeof load> => {
    loaded ??= load(Object.fromEntries(names.map(name => [name, status])));
    return loaded;
  };
  const definition = Object.fromEntries(
    METHODS.map(([name, method, responseStream]) => {
      const own = (): grpc.MethodDefinition<object, object> => implementation().service[method];
      return [
        name,
        {
          path: `/${HEALTH}/${method}`,
          requestStream: false,
          responseStream,
          requestSerialize: (message: object) => own().requestSerialize(message),
          requestDeserialize: (bytes: Buffer) => own().requestDeserialize(bytes),
          responseSerialize: (message: object) => own().responseSerialize(message),
          responseDeserialize: (bytes: Buffer) => own().responseDeserialize(bytes),
        },
      ];
    }),
  );
  server.addService(
    definition,
    Object.fromEntries(
      METHODS.map(([name]) => [name, (...call: unknown[]) => implementation().handlers[name]?.(...call)]),
    ),
  );
  return {
    setAll(next) {
      status = next;
      for (const name of names) loaded?.health.setStatus(name, next);
    },
  };
}

function load(statuses: library.ServingStatusMap) {
  const { HealthImplementation, service } = require('grpc-health-check') as typeof library;
  const health = new HealthImplementation(statuses);
  const handlers: Handlers = {};
  // It gives its handlers to a server only.
  const taker = { addService: (_service: unknown, own: Handlers) => Object.assign(handlers, own) };
  health.addToServer(taker as unknown as Parameters<typeof health.addToServer>[0]);
  return {
    health,
    handlers,
    service: service as unknown as Record<(typeof METHODS)[number][1], grpc.MethodDefinition<object, object>>,
  };
}
