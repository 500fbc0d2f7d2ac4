import { type BackupManifest, toBackupBlobs } from '../model/backup.ts';
import { formatSize } from './format.ts';

/** What a backup holds, in two lines and a warning where something will be missing. */
export function toBackupText(manifest: BackupManifest): readonly string[] {
  const { createdAt, version, revision, records, withoutKeys } = manifest;
  const blobs = toBackupBlobs(manifest);
  const bytes = blobs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const counts = [
    toCount(records.PluginSpec, 'plugin'),
    toCount(records.ResourceSpec, 'resource'),
    toCount(records.NodePresence, 'node'),
    `${toCount(blobs.length, 'module or layer', 'modules and layers')} (${formatSize(bytes)})`,
  ];
  const hasKey = manifest.files.some(({ path }) => path === 'secret-key');
  return [
    `  as of ${new Date(createdAt).toISOString()}, revision ${revision}, by attache ${version}`,
    `  ${counts.join(', ')}`,
    withoutKeys || !hasKey
      ? '  without the key of stored secrets: without its file, pull secrets and secrets in resources stay closed'
      : '  with the key of stored secrets and all tokens: keep it as you keep those',
  ];
}

function toCount(count = 0, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
