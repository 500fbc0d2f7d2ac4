/**
 * What a start takes of `attache serve` with a large fleet that it knows: CPU until it is ready. See bench/README.md.
 * Flags: `--plugins N`, `--nodes N`, `--runs N`, `--json`.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { AttacheProcess } from '../test/harness/attache-process.ts';
import { readCpuMs, readMiB } from './process-cost.ts';
import { formatSpread, formatTable, toSpread } from './spread.ts';
import { fillDirectory } from './start-fleet.ts';

/** CPU of the server's process and of children that ended, ms. */
const TARGET_MS = 1_000;

interface Start {
  readonly cpuMs: number;
  readonly wallMs: number;
  readonly rssMiB: number;
}

async function measureStart(attache: AttacheProcess): Promise<Start> {
  const from = performance.now();
  // Until /readyz says so.
  await attache.startAgain();
  const { own, children } = readCpuMs(attache.pid);
  const wallMs = performance.now() - from;
  const rssMiB = readMiB(attache.pid, 'VmRSS');
  await attache.end();
  return { cpuMs: own + children, wallMs, rssMiB };
}

async function measureStarts(
  runs: number,
  fill: (directory: string) => Promise<void>,
): Promise<readonly Start[]> {
  const attache = await AttacheProcess.start({ flags: ['--log-level', 'warn'] });
  try {
    await attache.end();
    await fill(join(attache.folder, 'data'));
    const starts: Start[] = [];
    for (let run = 0; run < runs; run += 1) starts.push(await measureStart(attache));
    return starts;
  } finally {
    await attache.stop();
  }
}

function toRow(name: string, starts: readonly Start[]): readonly string[] {
  const column = (of: keyof Start) => formatSpread(toSpread(starts.map(start => start[of])), 0);
  return [name, column('cpuMs'), column('wallMs'), column('rssMiB')];
}

const { values } = parseArgs({
  options: {
    plugins: { type: 'string', default: '1000' },
    nodes: { type: 'string', default: '10000' },
    runs: { type: 'string', default: '5' },
    json: { type: 'boolean', default: false },
  },
});
const size = { plugins: Number(values.plugins), nodes: Number(values.nodes) };
const runs = Number(values.runs);
const empty = await measureStarts(runs, async () => {});
const full = await measureStarts(runs, directory => fillDirectory(directory, size));
const cpuMs = toSpread(full.map(start => start.cpuMs));
const isMet = cpuMs.median < TARGET_MS;
if (values.json) console.log(JSON.stringify({ ...size, empty, full, cpuMs, targetMs: TARGET_MS, isMet }));
else {
  const name = `${size.plugins} plugins, ${size.nodes} nodes`;
  console.log(
    formatTable(
      ['start with', 'CPU ms', 'until ready, ms', 'memory MiB'],
      [toRow('nothing', empty), toRow(name, full)],
    ),
  );
  console.log(`\nunder ${TARGET_MS} ms of CPU: ${isMet ? 'met' : 'missed'}`);
}
