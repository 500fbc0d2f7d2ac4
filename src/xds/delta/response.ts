import type { Difference } from '../stream/subscription.ts';
import { encodeDeltaResponse } from './messages.ts';

/** What goes out for a difference. */
export function toResponse(typeUrl: string, nonce: string, { resources, removed }: Difference): Buffer {
  return encodeDeltaResponse({ typeUrl, nonce, resources, removed });
}
