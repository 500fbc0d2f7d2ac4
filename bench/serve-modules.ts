/**
 * `npm run bench:serve-modules [-- --clients N] [-- --mib N] [-- --runs N] [-- --json]`: a module to many Envoys at once,
 * beside nginx that serves the same file. One core for the server, one for the clients. See README.md.
 */
import { parseArgs } from 'node:util';
import { padTo } from '../test/harness/fixture-modules.ts';
import { WHOLE } from './fresh-module.ts';
import { readMachine } from './machine.ts';
import { readCpuMs, readMiB, resetPeak } from './process-cost.ts';
import { findNginx, startNginx } from './serve/nginx.ts';
import { runFetchAll } from './serve/run-fetch-all.ts';
import { formatServeReport, type ServeRun, toServeReport } from './serve/serve-report.ts';
import { startAttache } from './xds/attache-side.ts';
import { NodeFleet } from './xds/node-fleet.ts';
import type { Side } from './xds/side.ts';

/** All at once, from one address. */
const FLAGS = ['--xds-limit', 'new-streams-per-second=100000'];
const MODULE_URL = /\/v1\/modules\/sha256\/[0-9a-f]{64}\?cap=[0-9a-f]{64}&tag=[0-9a-f]+/;

interface Served {
  readonly host: string;
  readonly port: number;
  readonly pid: number;
  readonly paths: readonly string[];
  stop(): Promise<void>;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      clients: { type: 'string', default: '500' },
      mib: { type: 'string', default: '1' },
      runs: { type: 'string', default: '7' },
      json: { type: 'boolean', default: false },
    },
  });
  const clients = Number(values.clients);
  const machine = await readMachine();
  const module = padTo(WHOLE, Number(values.mib) * 2 ** 20, 'bench');
  const program = await findNginx();
  if (program === undefined) console.error('nginx is not installed, and apt-get has none: Attaché alone');
  const attache = await serveByAttache(module, clients);
  const nginx = program === undefined ? undefined : await serveByNginx(program, module.bytes, clients);
  try {
    const runs: Record<'attache' | 'nginx', ServeRun[]> = { attache: [], nginx: [] };
    // The first run fills the caches of the system and is not counted.
    for (let run = 0; run <= Number(values.runs); run++) {
      const ours = await measure(attache);
      const theirs = nginx && (await measure(nginx));
      console.error(
        `run ${run}: attache ${ours.MiBPerS.toFixed(0)}, nginx ${theirs?.MiBPerS.toFixed(0)} MiB/s`,
      );
      if (run === 0) continue;
      runs.attache.push(ours);
      if (theirs !== undefined) runs.nginx.push(theirs);
    }
    const of = { machine, clients, moduleMiB: Number(values.mib) };
    const report =
      nginx === undefined
        ? toServeReport({ attache: runs.attache }, { ...of, alone: 'there is no nginx' })
        : toServeReport(runs, of);
    console.log(values.json ? JSON.stringify(report, null, 2) : formatServeReport(report));
    return 0;
  } finally {
    await nginx?.stop();
    await attache.stop();
  }
}

/** With as many Envoys on its streams as there are clients: each gets a URL of its own. */
async function serveByAttache(module: ReturnType<typeof padTo>, clients: number): Promise<Served> {
  const side = await startAttache({ flags: FLAGS, module });
  const { fleet, paths } = await connectFleet(side, clients);
  const [host = '', port] = side.modules.split(':');
  return {
    host,
    port: Number(port),
    pid: side.pid,
    paths,
    async stop() {
      fleet.close();
      await side.stop();
    },
  };
}

async function connectFleet(side: Side, clients: number) {
  const urls = new Set<string>();
  const scenario = {
    streams: clients,
    form: 'delta',
    pushes: 0,
    repeatedExtensions: 0,
    refusing: 0,
    fetches: false,
  } as const;
  const fleet = new NodeFleet(side, scenario, message => {
    const url = MODULE_URL.exec(Buffer.from(message).toString('latin1'))?.[0];
    if (url !== undefined) urls.add(url);
  });
  await fleet.openAll();
  if (urls.size < clients)
    throw new Error(`${urls.size} of ${clients} have a URL; lost: ${JSON.stringify(fleet.lost)}`);
  return { fleet, paths: [...urls].slice(0, clients) };
}

async function serveByNginx(program: string, module: Uint8Array, clients: number): Promise<Served> {
  return { ...(await startNginx(program, module)), paths: new Array<string>(clients).fill('/module.wasm') };
}

async function measure({ host, port, paths, pid }: Served): Promise<ServeRun> {
  resetPeak(pid);
  const [cpu, memory] = [readCpuMs(pid).own, readMiB(pid, 'VmRSS')];
  const { wallMs, bytes, failed } = await runFetchAll({ host, port, paths });
  return {
    MiBPerS: bytes / 2 ** 20 / (wallMs / 1000),
    cpuMs: readCpuMs(pid).own - cpu,
    moreMiB: readMiB(pid, 'VmHWM') - memory,
    failed,
  };
}

process.exitCode = await main();
