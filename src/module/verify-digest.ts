import { createHash } from 'node:crypto';
import { ModuleError } from './module-error.ts';

/** `sha256:` and 64, or `sha512:` and 128 lower-case hexadecimal digits. */
const DIGEST = /^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

/** https://github.com/opencontainers/image-spec/blob/main/descriptor.md#digests */
export function isDigest(text: string): boolean {
  return DIGEST.test(text);
}

/** `sha256:<hex>` of bytes. */
export function toDigest(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** Throws `wrong-digest` unless the bytes hash to the digest; `what` is named in the message. */
export function verifyDigest(bytes: Uint8Array, digest: string, what: string): void {
  const algorithm = digest.slice(0, 6);
  const found = isDigest(digest) ? createHash(algorithm).update(bytes).digest('hex') : undefined;
  if (`${algorithm}:${found}` !== digest) throw wrongDigest(what, digest, `${algorithm}:${found ?? '?'}`);
}

/** A digest of bytes that come in pieces. */
export interface Digest {
  update(chunk: Uint8Array): void;
  /** `sha256:<hex>`, once, at the end. */
  read(): string;
}

/** With the algorithm of the digest that is expected. */
export function createDigest({ digest }: { readonly digest: string }): Digest {
  const algorithm = digest.slice(0, digest.indexOf(':'));
  const hash = createHash(algorithm);
  return {
    update: chunk => void hash.update(chunk),
    read: () => `${algorithm}:${hash.digest('hex')}`,
  };
}

export function wrongDigest(what: string, expected: string, received: string): ModuleError {
  return new ModuleError('wrong-digest', `${what}: expected ${expected}, received ${received}`, {
    hint: 'The source holds other bytes than named. Compare the digest with what was pushed, or push again.',
  });
}
