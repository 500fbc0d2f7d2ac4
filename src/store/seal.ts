import { createCipheriv, createDecipheriv } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { toMessage } from '../model/error.ts';
import type { RandomHex } from '../model/ports.ts';
import type { Seal } from '../model/pull-secret.ts';
import { StoreError } from './store-error.ts';

const KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** AES-256-GCM: base64 of nonce, tag and ciphertext; what it is about is authenticated with it. */
export function createSeal(key: Uint8Array, random: RandomHex): Seal {
  return {
    close(text, about) {
      const iv = Buffer.from(random(IV_BYTES), 'hex');
      const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(about));
      const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
      return Buffer.concat([iv, cipher.getAuthTag(), body]).toString('base64');
    },
    open(sealed, about) {
      const bytes = Buffer.from(sealed, 'base64');
      if (bytes.length < IV_BYTES + TAG_BYTES) return undefined;
      const [iv, tag] = [bytes.subarray(0, IV_BYTES), bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES)];
      try {
        const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES });
        decipher.setAAD(Buffer.from(about)).setAuthTag(tag);
        const body = bytes.subarray(IV_BYTES + TAG_BYTES);
        return Buffer.concat([decipher.update(body), decipher.final()]).toString('utf8');
      } catch {
        return undefined;
      }
    },
  };
}

/**
 * The key in a file of 64 hexadecimal digits, made at the first start and readable by its owner alone. It is not in the
 * database: a copy of that holds no password. Throws StoreError `secret-key-failed`.
 */
export async function loadSealKey(path: string, random: RandomHex): Promise<Uint8Array> {
  try {
    // `wx`: a key that is there is never written over, or what it closed would be lost.
    await writeFile(path, `${random(KEY_BYTES)}\n`, { mode: 0o600, flag: 'wx', flush: true });
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'EEXIST')) throw failed(path, cause);
  }
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw failed(path, cause);
  });
  if (!/^[0-9a-f]{64}\s*$/.test(text)) throw failed(path, new Error('it is not 64 hexadecimal digits'));
  return Buffer.from(text.trim(), 'hex');
}

function failed(path: string, cause: unknown): StoreError {
  return new StoreError('secret-key-failed', `the key of stored secrets, ${path}: ${toMessage(cause)}`, {
    cause,
    hint: 'Restore the file from a backup. Without it remove the file, and store the pull secrets again.',
  });
}
