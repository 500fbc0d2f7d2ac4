import type * as grpc from '@grpc/grpc-js';
import type { Log } from '../../model/ports.ts';
import { toGrpcStatus } from '../grpc-status.ts';
import type { NodeRight } from '../identity/node-right.ts';
import type { ServiceProtos } from '../reflection/service-protos.ts';
import { decodeStatusRequest, encodeStatusResponse } from './csds-codec.ts';
import { matchNodes } from './match-nodes.ts';
import type { NodeConfigs } from './node-configs.ts';

/*
 * The client status discovery service: what every Envoy has of what it is to have.
 * https://www.envoyproxy.io/docs/envoy/latest/api-v3/service/status/v3/csds.proto
 */

export const CSDS = 'envoy.service.status.v3.ClientStatusDiscoveryService';

const bytes = (message: Buffer): Buffer => message;
const MESSAGES = {
  requestSerialize: bytes,
  requestDeserialize: bytes,
  responseSerialize: bytes,
  responseDeserialize: bytes,
};
const DEFINITION = {
  stream: { ...MESSAGES, path: `/${CSDS}/StreamClientStatus`, requestStream: true, responseStream: true },
  fetch: { ...MESSAGES, path: `/${CSDS}/FetchClientStatus`, requestStream: false, responseStream: false },
} satisfies grpc.ServiceDefinition;

type StreamCall = grpc.ServerDuplexStream<Buffer, Buffer>;
type FetchCall = grpc.ServerUnaryCall<Buffer, Buffer>;

export interface CsdsOptions {
  readonly configs: NodeConfigs;
  /** As which nodes a caller may act; throws XdsError. */
  readonly rightOf: (call: StreamCall | FetchCall) => NodeRight;
  readonly log: Log;
}

/** Each request of a stream gets one answer, which tells how things stand then, of the nodes that the caller may be. */
export function addCsds(
  server: grpc.Server,
  protos: () => ServiceProtos,
  { configs, rightOf, log }: CsdsOptions,
): void {
  const answer = (call: StreamCall | FetchCall, message: Buffer): Buffer => {
    const right = rightOf(call);
    const request = decodeStatusRequest(protos(), message);
    const own = [...configs.nodes()].filter(({ id }) => right.refusal(id) === undefined);
    const nodes = matchNodes(request.matchers, own);
    return encodeStatusResponse(
      protos(),
      nodes.flatMap(({ id }) => configs.read(id) ?? []),
      request,
    );
  };
  const refuse = (error: unknown, peer: string): ReturnType<typeof toGrpcStatus> => {
    log.warn({ err: error, peer }, 'status request refused');
    return toGrpcStatus(error);
  };
  server.addService(DEFINITION, {
    stream(call: StreamCall) {
      call.on('data', (message: Buffer) => {
        try {
          call.write(answer(call, message));
        } catch (error) {
          call.removeAllListeners('data').resume();
          call.emit('error', refuse(error, call.getPeer()));
        }
      });
      call.on('end', () => call.end());
      call.on('error', () => {});
    },
    fetch(call: FetchCall, callback: grpc.sendUnaryData<Buffer>) {
      try {
        callback(null, answer(call, call.request));
      } catch (error) {
        callback(refuse(error, call.getPeer()));
      }
    },
  });
}
