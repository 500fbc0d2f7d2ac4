import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const SOURCE = fileURLToPath(new URL('peers', import.meta.url));

/** The Go programs in peers/, built. */
export interface Peers {
  readonly server: string;
  readonly load: string;
  remove(): Promise<void>;
}

/** Into a temporary folder; undefined: there is no Go here. Throws where the build fails. */
export async function buildPeers(): Promise<Peers | undefined> {
  try {
    await run('go', ['version']);
  } catch {
    return undefined;
  }
  const folder = await mkdtemp(join(tmpdir(), 'attache-peers-'));
  await run('go', ['build', '-o', `${folder}/`, './cmd/...'], { cwd: SOURCE, timeout: 600_000 });
  return {
    server: join(folder, 'gcp-server'),
    load: join(folder, 'xds-load'),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
