import { AttacheError } from '../model/error.ts';

/**
 * - `node-admin-unset`: nobody said where the Envoy's admin interface is
 * - `node-log-unset`: nobody said where the Envoy's log is; an admin interface serves none
 * - `node-setting-wrong`: a namespace or a label that no document could select
 */
export type NodeErrorCode = 'node-admin-unset' | 'node-log-unset' | 'node-setting-wrong';

/** What is asked of a node, and cannot be had as things stand. */
export class NodeError extends AttacheError<NodeErrorCode> {}
