import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Whether this is a clone of the repository, where the code is TypeScript, and not the published package. */
const IS_CLONE = import.meta.filename.endsWith('.ts');

/** How a person calls this program. */
export const PROGRAM_NAME = IS_CLONE ? 'bin/attache' : 'attache';

/**
 * Where what is downloaded once is kept: `.cache` of a clone; of the published package, whose folder may be another user's,
 * `attache` in $XDG_CACHE_HOME, by default ~/.cache.
 */
export function installationCache(env: Readonly<Record<string, string | undefined>>): string {
  if (IS_CLONE) return fileURLToPath(new URL('../../.cache', import.meta.url));
  return join(env.XDG_CACHE_HOME || join(env.HOME || homedir(), '.cache'), 'attache');
}
