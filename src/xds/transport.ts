import type { Log } from '../model/ports.ts';
import type { AdsService } from './ads-service.ts';
import type { NodeGate } from './identity/node-gate.ts';
import type { LimitGuard } from './limits/limit-guard.ts';
import type { PortOptions } from './limits/open-port.ts';
import type { Patience } from './limits/patience.ts';

/** What a transport is given. */
export interface TransportOptions {
  /** A stream for each call: it takes messages, and sends frames. */
  readonly ads: AdsService;
  readonly listen: PortOptions;
  readonly guard: LimitGuard;
  readonly gate: NodeGate;
  readonly patience: Patience;
  readonly log: Log;
}

/** The open xDS port. */
export interface XdsServer {
  readonly address: { readonly host: string; readonly port: number };
  /** Ends every stream and waits until all connections are gone; Envoys keep what they run and come back. */
  stop(): Promise<void>;
}

/**
 * Carries gRPC between Envoys and the AdsService; it knows nothing of what the messages say. The one of the product is
 * startXdsServer, on grpc-js; bench/ has another. Throws XdsError `xds-listen-failed`.
 */
export type XdsTransport = (options: TransportOptions) => Promise<XdsServer>;
