import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';

/**
 * `atn_<node.id, base64url>.<mac, 43 characters>`: made from the id of the node and a key, so that nothing is stored. It
 * works until the node's credentials are revoked: the time of that is under the mac too.
 */
const TOKEN = /^atn_([A-Za-z0-9_-]{1,2048})\.([A-Za-z0-9_-]{43})$/;

/** What a token says; whether it is true only its mac tells. */
export interface NodeToken {
  readonly node: string;
  readonly mac: Buffer;
}

/** The key of node tokens, from the key of this server's secrets: who has a copy of the database has neither. */
export function toNodeTokenKey(secretKey: Uint8Array): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', secretKey, '', 'attache node tokens', 32));
}

/** `revokedAt`: NodePolicy.revoked.at, 0 where nothing was revoked. */
export function makeNodeToken(key: Uint8Array, node: string, revokedAt: number): string {
  return `atn_${Buffer.from(node).toString('base64url')}.${toMac(key, node, revokedAt).toString('base64url')}`;
}

/** Undefined for what is no token at all. */
export function parseNodeToken(text: string): NodeToken | undefined {
  const [, id = '', mac = ''] = TOKEN.exec(text) ?? [];
  const node = Buffer.from(id, 'base64url').toString();
  return node === '' ? undefined : { node, mac: Buffer.from(mac, 'base64url') };
}

export function isGenuine({ node, mac }: NodeToken, key: Uint8Array, revokedAt: number): boolean {
  return timingSafeEqual(mac, toMac(key, node, revokedAt));
}

function toMac(key: Uint8Array, node: string, revokedAt: number): Buffer {
  return createHmac('sha256', key).update(`${revokedAt}\n${node}`).digest();
}
