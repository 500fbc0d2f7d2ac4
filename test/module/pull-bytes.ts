import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BroughtModule } from '../../src/module/fetch-module.ts';
import { type PullModuleRequest, pullModule } from '../../src/module/pull-module.ts';

/** As `attache pull` does it, and what is in the file then; nothing is left beside the file. */
export async function pullBytes(
  request: Omit<PullModuleRequest, 'path'>,
): Promise<BroughtModule & { readonly bytes: Buffer }> {
  const directory = await mkdtemp(join(tmpdir(), 'attache-test-'));
  try {
    const path = join(directory, 'pulled.wasm');
    const pulled = await pullModule({ ...request, path }).finally(async () => {
      const left = (await readdir(directory)).filter(name => name !== 'pulled.wasm');
      if (left.length > 0) throw new Error(`left behind: ${left.join(', ')}`);
    });
    return { ...pulled, bytes: await readFile(path) };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
