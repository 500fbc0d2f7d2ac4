import { BackupError, noBackup } from './backup-error.ts';

/** The first file of a backup; the others follow as it lists them. */
export const BACKUP_MANIFEST = 'attache-backup.json';
/** What archives look like; a program reads this number and those below. */
export const BACKUP_FORMAT = 1;

/** What a backup holds. */
export interface BackupManifest {
  readonly format: number;
  /** Of the program that made it. */
  readonly version: string;
  /** ms */
  readonly createdAt: number;
  /** The store is as of this revision. */
  readonly revision: number;
  /** Of the store. */
  readonly schema: number;
  /** How many records of each kind. */
  readonly records: Readonly<Record<string, number>>;
  /** Whether files are left out that hold keys. */
  readonly withoutKeys: boolean;
  readonly files: readonly BackupFile[];
}

export interface BackupFile {
  /** Below the data directory, with `/`. */
  readonly path: string;
  readonly sizeBytes: number;
  /** Hex. */
  readonly sha256: string;
}

/** A backup that is to be read once: whole, or `bytes` throws. */
export interface OpenBackup {
  readonly manifest: BackupManifest;
  /** Of the archive. */
  readonly sizeBytes: number;
  readonly bytes: AsyncIterable<Uint8Array>;
  /** Lets go of what it holds, read or not. Idempotent. */
  close(): Promise<void>;
}

/** Opens a backup of the running server. */
export type TakeBackup = (options: { readonly withoutKeys: boolean }) => Promise<OpenBackup>;

const BLOB_PATH = /^modules\/blobs\/sha256\/([0-9a-f]{64})$/;
/** Names of our own: none leads out of a directory, or hides in it. */
const PATH = /^[a-z0-9][\w.-]*(\/[a-z0-9][\w.-]*)*$/i;
const MAX_PATH = 100;

/** Throws BackupError `no-backup`, `backup-newer`. */
export function parseBackupManifest(text: string): BackupManifest {
  const value = parseJson(text);
  if (value === undefined || typeof value.format !== 'number')
    throw noBackup('its list of files cannot be read');
  if (value.format > BACKUP_FORMAT)
    throw new BackupError(
      'backup-newer',
      `the backup has format ${value.format}, made by attache ${value.version}`,
      {
        hint: 'Restore it with that release, or a later one.',
      },
    );
  const manifest = value as BackupManifest;
  if (!Array.isArray(manifest.files) || !manifest.files.every(isBackupFile))
    throw noBackup('its list of files names what no backup holds');
  return manifest;
}

/** The modules of a backup, and what else the built-in registry keeps. */
export function toBackupBlobs({ files }: BackupManifest): readonly BackupFile[] {
  return files.filter(({ path }) => BLOB_PATH.test(path));
}

export function toBlobPath(sha256: string): string {
  return `modules/blobs/sha256/${sha256}`;
}

function isBackupFile(file: unknown): file is BackupFile {
  if (typeof file !== 'object' || file === null) return false;
  const { path, sizeBytes, sha256 } = file as Partial<BackupFile>;
  if (typeof path !== 'string' || path.length > MAX_PATH || !PATH.test(path)) return false;
  if (!Number.isSafeInteger(sizeBytes) || !/^[0-9a-f]{64}$/.test(String(sha256))) return false;
  const [, blob] = BLOB_PATH.exec(path) ?? [];
  return blob === undefined || blob === sha256;
}

function parseJson(text: string): Partial<BackupManifest> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
