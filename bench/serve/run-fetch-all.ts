import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { spawnChild } from '../../test/harness/child-process.ts';
import { DRIVER_CORE } from '../xds/side.ts';
import type { FetchOrder, FetchReport } from './fetch-all.ts';

const PROGRAM = fileURLToPath(new URL('fetch-all.ts', import.meta.url));

/** Fetches from another process, on the driver's core. */
export async function runFetchAll(order: FetchOrder): Promise<FetchReport> {
  const { child } = spawnChild('taskset', ['-c', DRIVER_CORE, process.execPath, PROGRAM], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin!.end(JSON.stringify(order));
  return JSON.parse(await text(child.stdout!)) as FetchReport;
}
