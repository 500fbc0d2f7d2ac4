import { AttacheError } from '../model/error.ts';

export type XdsErrorCode =
  /** A message of an Envoy that is not valid protobuf. */
  | 'malformed-message'
  /** The first request of a stream carries no node id. */
  | 'node-id-missing'
  /** A request on an aggregated stream without a type URL. */
  | 'type-url-missing'
  /** A request on the stream of one type asks for another. */
  | 'type-url-foreign'
  /** A later request on a stream names another node. */
  | 'node-changed'
  /** A node matcher of a status request that cannot be used, or takes too long. */
  | 'bad-node-matcher'
  /** The xDS port could not be opened. */
  | 'xds-listen-failed';

export class XdsError extends AttacheError<XdsErrorCode> {}
