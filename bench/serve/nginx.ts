import { execFile } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { endChild, spawnChild } from '../../test/harness/child-process.ts';
import { freePort } from '../../test/harness/free-port.ts';
import { until } from '../../test/harness/wait.ts';
import { findInPath } from '../../test/interop/tools.ts';
import { readChildren } from '../process-cost.ts';
import { SERVER_CORE } from '../xds/side.ts';

const run = promisify(execFile);
const CACHE = fileURLToPath(new URL('../../.cache/nginx', import.meta.url));

/** The one that is installed, else Debian's package, unpacked into .cache once; undefined: it cannot be had. */
export async function findNginx(): Promise<string | undefined> {
  const installed = findInPath('nginx') ?? ['/usr/sbin/nginx'].find(existsSync);
  const unpacked = join(CACHE, 'usr/sbin/nginx');
  if (installed !== undefined || existsSync(unpacked)) return installed ?? unpacked;
  try {
    await mkdir(CACHE, { recursive: true });
    await run('apt-get', ['download', 'nginx'], { cwd: CACHE, timeout: 60_000 });
    for (const file of globSync('nginx_*.deb', { cwd: CACHE }))
      await run('dpkg', ['-x', file, CACHE], { cwd: CACHE });
    await run(unpacked, ['-v']);
    return unpacked;
  } catch {
    await rm(CACHE, { recursive: true, force: true });
    return undefined;
  }
}

export interface Nginx {
  readonly host: string;
  readonly port: number;
  /** Of its one worker. */
  readonly pid: number;
  stop(): Promise<void>;
}

/** Serves `/module.wasm`, with one worker on the server's core, as it serves files best: sendfile, no access log. */
export async function startNginx(program: string, module: Uint8Array): Promise<Nginx> {
  const folder = await mkdtemp(join(tmpdir(), 'attache-nginx-'));
  await writeFile(join(folder, 'module.wasm'), module);
  const port = await freePort();
  await writeFile(join(folder, 'nginx.conf'), toConfig(folder, port));
  const args = ['-c', SERVER_CORE, program, '-p', folder, '-e', 'error.log', '-c', 'nginx.conf'];
  const running = spawnChild('taskset', args, { stdio: 'ignore' });
  const stop = async () => {
    await endChild(running);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const isUp = async () => (await fetch(`http://127.0.0.1:${port}/module.wasm`, { method: 'HEAD' })).ok;
    await until(isUp, { what: 'nginx to listen' });
    return { host: '127.0.0.1', port, pid: readChildren(running.child.pid!)[0]!, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function toConfig(folder: string, port: number): string {
  const scratch = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `daemon off; worker_processes 1; pid nginx.pid; ${process.getuid?.() === 0 ? 'user root;' : ''}
events { worker_connections 4096; }
http {
  access_log off; sendfile on; tcp_nopush on; root ${folder};
  ${scratch.map(name => `${name}_temp_path ${name};`).join(' ')}
  server { listen 127.0.0.1:${port} backlog=4096; }
}
`;
}
