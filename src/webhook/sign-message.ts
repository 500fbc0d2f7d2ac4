import { createHmac } from 'node:crypto';

const PREFIX = 'whsec_';
/** Bytes of a key that is made here. */
export const KEY_BYTES = 32;

/** A key as Standard Webhooks writes it, from its bytes in hex. */
export function toSecret(hex: string): string {
  return PREFIX + Buffer.from(hex, 'hex').toString('base64');
}

/**
 * The headers of a signed message: HMAC-SHA256 over id, time and body, so that none of them can be changed, and an old
 * message not be sent again later. `atMs`: of this try.
 * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export function signMessage(
  secret: string,
  { id, atMs, body }: { readonly id: string; readonly atMs: number; readonly body: string },
): Readonly<Record<string, string>> {
  const timestamp = String(Math.floor(atMs / 1000));
  const key = Buffer.from(secret.slice(PREFIX.length), 'base64');
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': `v1,${signature}`,
  };
}
