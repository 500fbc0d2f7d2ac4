/**
 * `npm run bench:modules [-- --json] [-- --rounds N] [-- --mib N]`: what pulling a fresh module of 20 MiB costs, beside
 * `oras pull` of the same from the same registry. Each round takes a new module and does all in turn. See README.md.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type BenchRegistry, findOras, startBenchRegistry } from './bench-actors.ts';
import { applyFresh, pushFresh, REFUSED, WHOLE } from './fresh-module.ts';
import { measureCommand } from './measure-command.ts';
import { MeasuredServer } from './measured-server.ts';
import { formatReport, type PullFigures, type PullRound, toReport } from './pull-report.ts';

const ATTACHE = fileURLToPath(new URL('../bin/attache', import.meta.url));

interface Bench {
  readonly folder: string;
  readonly registry: BenchRegistry;
  readonly oras: string | undefined;
  readonly server: MeasuredServer;
  readonly sizeBytes: number;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      json: { type: 'boolean', default: false },
      rounds: { type: 'string', default: '7' },
      mib: { type: 'string', default: '20' },
    },
  });
  const folder = await mkdtemp(join(tmpdir(), 'attache-bench-'));
  const stops: (() => Promise<void>)[] = [() => rm(folder, { recursive: true, force: true })];
  try {
    const oras = await findOras();
    const registry = await startBenchRegistry(folder);
    stops.push(() => registry.stop());
    const server = await MeasuredServer.start(['--insecure-registry', registry.host]);
    stops.push(() => server.stop());
    const bench: Bench = {
      folder,
      registry,
      server,
      oras: 'path' in oras ? oras.path : undefined,
      sizeBytes: Number(values.mib) * 2 ** 20,
    };
    const figures = await runRounds(bench, Number(values.rounds));
    const report = toReport(figures, {
      registry: registry.name,
      moduleMiB: Number(values.mib),
      orasMissing: 'missing' in oras ? oras.missing : undefined,
    });
    console.log(values.json ? JSON.stringify(report, null, 2) : formatReport(report));
    return 0;
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}

/** One round more than is counted: the first fills the caches of the system, and of node. */
async function runRounds(bench: Bench, rounds: number): Promise<PullFigures> {
  const idleMiB = await bench.server.readRssMiB();
  const first = await runRound(bench, 0);
  const counted: PullRound[] = [];
  for (let round = 1; round <= rounds; round++) counted.push(await runRound(bench, round));
  return { idleMiB, first, rounds: counted };
}

/** All in turn, so that what the machine does besides meets all alike. */
async function runRound(bench: Bench, round: number): Promise<PullRound> {
  const { folder, registry, server, sizeBytes } = bench;
  const refused = await pushFresh(registry.host, `refused:${round}`, REFUSED, sizeBytes);
  const whole = await pushFresh(registry.host, `whole:${round}`, WHOLE, sizeBytes);
  const serverPull = await server.measure(() => applyFresh(server, refused, 'NotStarted'));
  const plain = ['pull', '--plain-http', '-o', join(folder, 'oras'), whole];
  const oras = bench.oras === undefined ? undefined : await measureCommand([bench.oras, ...plain]);
  const command = await measureCommand([ATTACHE, 'pull', whole, '-o', join(folder, 'attache.wasm')]);
  const node = await measureCommand([process.execPath, '-e', '0']);
  const serverAll = await server.measure(() => applyFresh(server, whole, 'Succeeded'));
  for (const name of ['oras', 'attache.wasm']) await rm(join(folder, name), { recursive: true, force: true });
  return { oras, command, node, serverPull, serverAll };
}

process.exitCode = await main();
