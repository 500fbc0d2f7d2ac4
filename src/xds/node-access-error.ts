import { AttacheError } from '../model/error.ts';

/**
 * - `admin-address-refused`: the server may not ask this address
 * - `admin-unreachable`: nobody answers there, or not in time
 * - `admin-bad-answer`: who answers is no Envoy's admin interface, or says too much
 * - `admin-other-node`: another Envoy answers
 * - `node-log-refused`: the server may not read this file
 * - `node-log-unreadable`: it may, and cannot
 */
export type NodeAccessErrorCode =
  | 'admin-address-refused'
  | 'admin-unreachable'
  | 'admin-bad-answer'
  | 'admin-other-node'
  | 'node-log-refused'
  | 'node-log-unreadable';

/** Why an Envoy cannot be asked, or its log cannot be read. */
export class NodeAccessError extends AttacheError<NodeAccessErrorCode> {}
