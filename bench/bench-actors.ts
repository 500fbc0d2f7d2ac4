import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { AttacheProcess } from '../test/harness/attache-process.ts';
import { DISTRIBUTION, locateGoTool, ORAS } from '../test/interop/go-tools.ts';
import { findInPath, spawnRegistry } from '../test/interop/tools.ts';

/** A registry in a process of its own, plain HTTP on loopback. */
export interface BenchRegistry {
  readonly name: string;
  readonly host: string;
  stop(): Promise<void>;
}

/** Debian's docker-registry, else the one built with Go, else the built-in of another `attache serve`. */
export async function startBenchRegistry(folder: string): Promise<BenchRegistry> {
  const directory = join(folder, 'registry');
  await mkdir(directory);
  const debian = findInPath('docker-registry');
  if (debian !== undefined) return { name: 'docker-registry', ...(await spawnRegistry(debian, directory)) };
  const built = await locateGoTool(DISTRIBUTION);
  if ('path' in built)
    return { name: `distribution ${DISTRIBUTION.version}`, ...(await spawnRegistry(built.path, directory)) };
  const attache = await AttacheProcess.start();
  return { name: 'built-in', host: new URL(attache.addresses.api).host, stop: () => attache.stop() };
}

/** The one on the PATH, else one built with Go. */
export async function findOras(): Promise<{ readonly path: string } | { readonly missing: string }> {
  const path = findInPath('oras');
  return path === undefined ? locateGoTool(ORAS) : { path };
}
