import type * as grpc from '@grpc/grpc-js';
import type { Shown } from './node-gate.ts';

/** What a call shows of who makes it. */
export type Called = Pick<grpc.ServerDuplexStream<unknown, unknown>, 'getAuthContext' | 'metadata'>;

/** Read where it is asked for: to look for a certificate takes 4 µs of each new stream. */
export function shownBy(call: Called): Shown {
  return {
    get certificate() {
      return call.getAuthContext().sslPeerCertificate?.raw;
    },
    get authorization() {
      return call.metadata.get('authorization')[0]?.toString();
    },
  };
}
