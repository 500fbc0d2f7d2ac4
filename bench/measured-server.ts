import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AttacheProcess } from '../test/harness/attache-process.ts';
import { until } from '../test/harness/wait.ts';
import { readCpuMs, readMiB, resetPeak } from './process-cost.ts';

/** What one job took of a server that goes on. */
export interface ServerCost {
  /** Of the server's own process. */
  readonly cpuMs: number;
  /** Of child processes (trial runs) that ended meanwhile, to 10 ms. */
  readonly childCpuMs: number;
  readonly wallMs: number;
  /** Resident memory of the server's process at its highest, MiB. */
  readonly peakMiB: number;
}

const REPORTER = new URL('report-cpu.ts', import.meta.url).href;

/** `attache serve` as it is, with a reporter of CPU time loaded. Linux only. */
export class MeasuredServer {
  readonly attache: AttacheProcess;
  readonly #folder: string;

  private constructor(attache: AttacheProcess, folder: string) {
    this.attache = attache;
    this.#folder = folder;
  }

  static async start(flags: readonly string[]): Promise<MeasuredServer> {
    const folder = await mkdtemp(join(tmpdir(), 'attache-bench-'));
    const env = { NODE_OPTIONS: `--import=${REPORTER}`, BENCH_REPORT: join(folder, 'cpu') };
    return new MeasuredServer(await AttacheProcess.start({ flags, env }), folder);
  }

  async stop(): Promise<void> {
    await this.attache.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async readRssMiB(): Promise<number> {
    return readMiB(this.attache.pid, 'VmRSS');
  }

  async measure(job: () => Promise<void>): Promise<ServerCost> {
    resetPeak(this.attache.pid);
    const before = {
      cpu: await this.#readCpuMs(),
      child: readCpuMs(this.attache.pid).children,
      at: performance.now(),
    };
    await job();
    const wallMs = performance.now() - before.at;
    return {
      wallMs,
      cpuMs: (await this.#readCpuMs()) - before.cpu,
      childCpuMs: readCpuMs(this.attache.pid).children - before.child,
      peakMiB: readMiB(this.attache.pid, 'VmHWM'),
    };
  }

  async #readCpuMs(): Promise<number> {
    const path = join(this.#folder, 'cpu');
    await rm(path, { force: true });
    process.kill(this.attache.pid, 'SIGUSR2');
    return Number(await until(() => readFile(path, 'utf8'), { what: 'the report of the server' })) / 1000;
  }
}
