import type { EncodedResource } from '../../model/resource.ts';
import { EXTENSION_CONFIG_TYPE } from '../../model/type-url.ts';
import type { Difference } from '../stream/subscription.ts';
import { encodeDeltaResponse } from './messages.ts';

/** What goes out for a difference. */
export function toResponse(typeUrl: string, nonce: string, { resources, removed }: Difference): Buffer {
  return encodeDeltaResponse({ typeUrl, nonce, resources, removed });
}

/** One extension config. */
export function toSlotResponse(
  slot: Pick<EncodedResource, 'name' | 'version' | 'any'>,
  nonce: string,
): Buffer {
  return encodeDeltaResponse({ typeUrl: EXTENSION_CONFIG_TYPE, nonce, resources: [slot], removed: [] });
}
