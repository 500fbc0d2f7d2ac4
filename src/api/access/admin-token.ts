import { open, rename } from 'node:fs/promises';
import { type ApiToken, FIRST_TOKEN, makeToken } from '../../model/api-token.ts';
import { ATTACHE_ACTOR, toDecision } from '../../model/audit.ts';
import type { Clock, RandomHex } from '../../model/ports.ts';
import { EVERYTHING } from '../../model/scope.ts';
import type { Operation, Store } from '../../store/store.ts';
import { isAdminNow } from './tokens.ts';

export interface AdminTokenOptions {
  readonly store: Store;
  /** The file that the token is written to. */
  readonly path: string;
  readonly clock: Clock;
  readonly random: RandomHex;
}

/**
 * Makes the token `admin` where nobody is an admin, so that somebody can let the others in: at the first start that asks
 * for tokens, and after the last one was revoked or has expired. Answers whether it did. The file comes first: a token that
 * nobody can read would keep everybody out.
 */
export async function ensureAdminToken({ store, path, clock, random }: AdminTokenOptions): Promise<boolean> {
  const { records } = await store.list('Token');
  const at = clock.now();
  if (records.some(({ value }) => isAdminNow(value, at))) return false;
  const { id, token, sha256 } = makeToken(random);
  await writePrivately(path, `${token}\n`);
  const value: ApiToken = {
    id,
    name: FIRST_TOKEN,
    sha256,
    role: 'admin',
    scope: EVERYTHING,
    createdBy: ATTACHE_ACTOR,
    createdAt: at,
  };
  const text = `no admin token was left: attache made one, in ${path}`;
  const entry = { action: 'token.created', subject: FIRST_TOKEN, text, behalf: undefined };
  const operations: Operation[] = [
    { op: 'put', kind: 'Token', key: id, value, expected: 'absent' },
    { op: 'append', kind: 'AuditEntry', value: toDecision(at, entry) },
  ];
  await store.transaction(operations);
  return true;
}

/** Whole or not at all, and never readable by others, whatever was at the path. */
async function writePrivately(path: string, text: string): Promise<void> {
  const file = await open(`${path}.new`, 'w', 0o600);
  try {
    await file.chmod(0o600);
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
}
