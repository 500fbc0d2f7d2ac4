import { createHmac, timingSafeEqual } from 'node:crypto';
import { sha256Hex } from './plugin-spec.ts';

/** What the module server saw of one GET. Written by the module server, read by the push protocol; not stored. */
export interface ModuleFetch {
  readonly process: string;
  readonly moduleSha256: string;
  /** The tag in the URL; not evidence, only for people. */
  readonly tag: string;
  /** Tells two GETs of one module apart. */
  readonly id: number;
  /** sent: the whole body was handed over. failed: it was not, and never will be for this GET. */
  readonly state: 'started' | 'sent' | 'failed';
  readonly at: number;
}

/** Live events of the module server. The listener is called in order and must not throw. */
export interface ModuleFetchFeed {
  subscribe(listener: (fetch: ModuleFetch) => void): () => void;
}

/**
 * The unguessable part of a module URL: `<node 16 hex><process 16 hex><mac 32 hex>`, fixed width. It names who
 * was told to load which digest, and proves that it was us who told.
 */
export function makeCapability(key: Uint8Array, node: string, process: string, moduleSha256: string): string {
  const nodeHash = toNodeHash(node);
  return nodeHash + process + mac(key, nodeHash, process, moduleSha256);
}

/** A node as capabilities name it. */
export function toNodeHash(node: string): string {
  return sha256Hex(node).slice(0, 16);
}

/** The process a capability was given to, or undefined when no key made it for this digest. */
export function verifyCapability(
  keys: readonly Uint8Array[],
  capability: string,
  moduleSha256: string,
): { nodeHash: string; process: string } | undefined {
  if (!/^[0-9a-f]{64}$/.test(capability)) return undefined;
  const nodeHash = capability.slice(0, 16);
  const process = capability.slice(16, 32);
  const given = Buffer.from(capability.slice(32), 'latin1');
  const known = keys.some(key =>
    timingSafeEqual(given, Buffer.from(mac(key, nodeHash, process, moduleSha256), 'latin1')),
  );
  return known ? { nodeHash, process } : undefined;
}

function mac(key: Uint8Array, nodeHash: string, process: string, moduleSha256: string): string {
  return createHmac('sha256', key)
    .update(`${nodeHash}\n${process}\n${moduleSha256}`)
    .digest('hex')
    .slice(0, 32);
}

/** Path and query of a module on the module port; the holes are filled per process and push. */
export function modulePath(moduleSha256: string, capability: string, tag: string): string {
  return `/v1/modules/sha256/${moduleSha256}?cap=${capability}&tag=${tag}`;
}
