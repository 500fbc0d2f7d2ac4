import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { padTo } from '../../test/harness/fixture-modules.ts';
import { WHOLE } from '../fresh-module.ts';

/** What a plugin compiled from Rust or C++ takes. */
export const COLD_MIB = 1;

/** Lays down a module for each push, `{round}` in the URL tells which: no Envoy has seen it. */
export async function layColdModules(folder: string, pushes: number): Promise<string> {
  for (let round = 1; round <= pushes; round++) {
    const { bytes } = padTo(WHOLE, COLD_MIB * 2 ** 20, `cold-${round}`);
    await writeFile(join(folder, `cold-${round}.wasm`), bytes);
  }
  return `file://${join(folder, 'cold-{round}.wasm')}`;
}
