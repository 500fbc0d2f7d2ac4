import { toMessage } from '../model/error.ts';
import { StoreError, type StoreErrorCode } from './store-error.ts';

/** Primary result codes of SQLite: https://sqlite.org/rescode.html */
const CODES: ReadonlyMap<number, StoreErrorCode> = new Map([
  [5, 'data-directory-in-use'],
  [6, 'data-directory-in-use'],
  [3, 'data-directory-unusable'],
  [8, 'data-directory-unusable'],
  [14, 'data-directory-unusable'],
  [11, 'store-damaged'],
  [26, 'store-damaged'],
  [13, 'store-full'],
]);

const HINTS: Partial<Record<StoreErrorCode, string>> = {
  'data-directory-in-use': 'Stop the other Attaché, or give this one another data directory (--data).',
  'data-directory-unusable': 'Give a directory that this user may write (--data).',
  'store-damaged': 'Restore the data directory from a backup, or start with a new one (--data).',
  'store-full': 'Free space on the disk; writing works again by itself.',
};

/** A StoreError for anything that node:sqlite or the file system threw; `file` is the database. */
export function toStoreError(thrown: unknown, file: string): StoreError {
  if (thrown instanceof StoreError) return thrown;
  const code = toCode(thrown);
  const hint = HINTS[code];
  return new StoreError(code, `${file}: ${toMessage(thrown)}`, {
    cause: thrown,
    ...(hint === undefined ? {} : { hint }),
  });
}

function toCode(thrown: unknown): StoreErrorCode {
  if (!(thrown instanceof Error)) return 'store-failed';
  const { errcode, code } = thrown as { errcode?: unknown; code?: unknown };
  // The low byte is the primary code, whatever the extended one adds.
  if (typeof errcode === 'number') return CODES.get(errcode & 0xff) ?? 'store-failed';
  if (code === 'ENOSPC') return 'store-full';
  return typeof code === 'string' && /^E[A-Z]+$/.test(code) ? 'data-directory-unusable' : 'store-failed';
}
