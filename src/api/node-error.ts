import { AttacheError } from '../model/error.ts';

/**
 * - `node-admin-unset`: nobody said where the Envoy's admin interface is
 * - `node-log-unset`: nobody said where the Envoy's log is; an admin interface serves none
 * - `node-setting-wrong`: a namespace, a label or an id that nothing could have
 * - `node-token-unused`: this server asks for no node tokens
 */
export type NodeErrorCode =
  | 'node-admin-unset'
  | 'node-log-unset'
  | 'node-setting-wrong'
  | 'node-token-unused';

/** What is asked of a node, and cannot be had as things stand. */
export class NodeError extends AttacheError<NodeErrorCode> {}
