import { AttacheError } from './error.ts';

/**
 * - `no-backup`: the file is none, or not a whole one; `backup-damaged`: a file in it is not what was backed up
 * - `backup-newer`: a later Attaché made it
 * - `restore-refused`: the directory is not empty
 */
export type BackupErrorCode = 'no-backup' | 'backup-damaged' | 'backup-newer' | 'restore-refused';

/** A backup that cannot be read or restored. */
export class BackupError extends AttacheError<BackupErrorCode> {}

/** What is wrong with a file that is given as a backup. */
export function noBackup(why: string): BackupError {
  return new BackupError('no-backup', why, {
    hint: 'Give a file that attache backup wrote, from its first byte to its last.',
  });
}
