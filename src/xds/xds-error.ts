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
  /** No client certificate, or no node token, where one is needed. */
  | 'node-credential-missing'
  /** A certificate that does not say who it is of; a token that is not ours. */
  | 'node-credential-wrong'
  /** A certificate whose time is over. */
  | 'node-credential-expired'
  /** What proves a node was revoked. */
  | 'node-credential-revoked'
  /** It proved to be another node than it says. */
  | 'node-refused'
  /** A message is larger than the limit. */
  | 'message-too-large'
  /** More connections than the limit. */
  | 'too-many-connections'
  /** More streams than the limit, on one connection or on all. */
  | 'too-many-streams'
  /** Streams begin faster than the limit. */
  | 'too-many-new-streams'
  /** A stream asks faster than the limit, and does not stop. */
  | 'requests-too-fast'
  /** An Envoy asks for more names than the limit. */
  | 'too-many-names'
  /** A stream was opened, and nothing came. */
  | 'first-request-missing'
  /** A node matcher of a status request that cannot be used, or takes too long. */
  | 'bad-node-matcher'
  /** The xDS port could not be opened. */
  | 'xds-listen-failed';

export class XdsError extends AttacheError<XdsErrorCode> {}
