/**
 * What a start takes of `attache serve` with a large fleet that it knows: CPU until it is ready; of the package that users install, and
 * of a clone. See bench/README.md.
 * Flags: `--plugins N`, `--nodes N`, `--runs N`, `--json`.
 */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { AttacheProcess } from '../test/harness/attache-process.ts';
import { readMachine } from './machine.ts';
import { readCpuMs, readMiB } from './process-cost.ts';
import { fillDirectory } from './start-fleet.ts';
import { formatStartReport, type Start, type Starts, toStartReport } from './start-report.ts';
import { unpackPackage } from './unpacked-package.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

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
  program: string,
  fill: (directory: string) => Promise<void>,
): Promise<readonly Start[]> {
  const attache = await AttacheProcess.start({ command: [program], flags: ['--log-level', 'warn'] });
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
const machine = await readMachine();

async function measureForm(program: string): Promise<Starts> {
  const empty = await measureStarts(program, async () => {});
  return { empty, full: await measureStarts(program, directory => fillDirectory(directory, size)) };
}

const unpacked = await unpackPackage();
try {
  const published = await measureForm(unpacked.program);
  const clone = await measureForm(join(ROOT, 'bin', 'attache'));
  const report = toStartReport({ published, clone }, { machine, ...size });
  console.log(values.json ? JSON.stringify(report, null, 2) : formatStartReport(report));
} finally {
  await unpacked.remove();
}
