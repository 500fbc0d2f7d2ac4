import { execFile } from 'node:child_process';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** What users install. */
export interface UnpackedPackage {
  /** Its `bin/attache`. */
  readonly program: string;
  remove(): Promise<void>;
}

/** Unpacks what `npm pack` makes of this clone into a temporary folder, with the dependencies that are here. */
export async function unpackPackage(): Promise<UnpackedPackage> {
  const folder = await mkdtemp(join(tmpdir(), 'attache-package-'));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    const { stdout } = await run('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: ROOT });
    await run('tar', ['-xzf', join(folder, stdout.trim().split('\n').at(-1) ?? ''), '-C', folder]);
    await symlink(join(ROOT, 'node_modules'), join(folder, 'package', 'node_modules'));
    return { program: join(folder, 'package', 'bin', 'attache'), remove };
  } catch (error) {
    await remove();
    throw error;
  }
}
