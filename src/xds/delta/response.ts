import type { Difference } from '../stream/subscription.ts';
import { encodeDeltaResponse } from './messages.ts';

/** What goes out for a difference. */
export function toResponse(typeUrl: string, nonce: string, { resources, removed }: Difference): Uint8Array {
  return encodeDeltaResponse({ typeUrl, nonce, resources, removed });
}
