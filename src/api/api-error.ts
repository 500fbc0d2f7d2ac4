import { AttacheError } from '../model/error.ts';

/**
 * - `unauthenticated`: no token, or none that counts; `forbidden`: its role or scope is not enough
 * - `token-wrong`, `token-exists`: a token cannot be made so
 * - `webhook-wrong`: a webhook cannot be so
 * - `not-found`: no such plugin, resource or node; `unknown-path`: no such path or method
 * - `bad-json`, `media-type`, `body-too-large`, `bad-request`, `bad-query`, `uri-too-long`, `headers-too-large`,
 *   `request-timeout`: what was sent cannot be read
 * - `cursor-expired`: a list was read on too late
 * - `name-mismatch`: the document has another name or type than the path
 * - `revision-mismatch`: If-Match or If-None-Match does not hold; `precondition-required`: this server wants one of them; `name-conflict`: another document gives a node
 *   the same Envoy name
 * - `illegal-action`: a rollout in this phase cannot be asked for it; `frozen`: all changes are stopped
 * - `signature-refused`: what is to be gone back to lacks a signature that is required
 * - `group-in-use`: a plugin names the node group
 * - `node-connected`: a node that is there cannot be forgotten
 * - `foreign-host`, `foreign-origin`: a browser was led here by another site
 * - `too-many-requests`; `not-ready`: the store does not answer; `internal`: our fault, see the server's log
 * - `api-listen-failed`, `metrics-listen-failed`: a port could not be opened
 */
export type ApiErrorCode =
  | 'unauthenticated'
  | 'forbidden'
  | 'token-wrong'
  | 'token-exists'
  | 'webhook-wrong'
  | 'not-found'
  | 'unknown-path'
  | 'bad-json'
  | 'media-type'
  | 'body-too-large'
  | 'bad-request'
  | 'bad-query'
  | 'uri-too-long'
  | 'headers-too-large'
  | 'request-timeout'
  | 'cursor-expired'
  | 'name-mismatch'
  | 'revision-mismatch'
  | 'precondition-required'
  | 'name-conflict'
  | 'address-conflict'
  | 'illegal-action'
  | 'frozen'
  | 'signature-refused'
  | 'group-in-use'
  | 'node-connected'
  | 'foreign-host'
  | 'foreign-origin'
  | 'too-many-requests'
  | 'not-ready'
  | 'internal'
  | 'api-listen-failed'
  | 'metrics-listen-failed';

/** What the REST API itself finds wrong with a request. */
export class ApiError extends AttacheError<ApiErrorCode> {}
