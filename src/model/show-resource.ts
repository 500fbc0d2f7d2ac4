import type { JsonObject } from './plugin-spec.ts';

/**
 * A resource for people, from its bytes (a google.protobuf.Any): proto3 JSON with `@type`. Filled by compile, used by api.
 * Throws `unknown-type` where nobody declares a type in it.
 */
export type ShowResource = (any: Uint8Array) => ShownResource;

export interface ShownResource {
  readonly json: JsonObject;
  /** JSON pointers into `json` of what Envoy's API marks as sensitive: REDACTED stands there. */
  readonly redacted: readonly string[];
}

/** What stands in place of a secret. */
export const REDACTED = '[redacted]';
