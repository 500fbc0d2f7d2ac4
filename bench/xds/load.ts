import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { DRIVER_CORE, type Scenario, type Side } from './side.ts';

const run = promisify(execFile);

/** Milliseconds over the streams. */
interface Times {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** What xds-load prints; the parts that are used. Times in ms, memory in MiB. */
export interface LoadReport {
  readonly connect: {
    readonly initial_all_s: number;
    readonly missing: number;
    readonly server_cpu_ms: number;
  };
  readonly rounds: readonly {
    readonly latency_ms: Times;
    readonly got: number;
    readonly missed: number;
    readonly repeats: number;
    readonly nacks: number;
    readonly response_bytes: number;
    readonly server_cpu_ms: number;
    readonly server_rss_mb: number;
    readonly client_cpu_ms: number;
  }[];
  readonly lost: Readonly<Record<string, number>>;
}

/** Plays the fleet against one side. */
export async function playFleet(program: string, side: Side, scenario: Scenario): Promise<LoadReport> {
  const { streams, form, pushes, repeatedExtensions, refusing } = scenario;
  const args = [
    ['-addr', side.address, '-server-pid', String(side.pid), '-names', side.resource],
    ['-streams', String(streams), '-mode', form, '-pushes', String(pushes), '-trigger', side.trigger],
    ['-trigger-header', 'content-type: application/json', '-timeout', '120s'],
    repeatedExtensions > 0 ? ['-node-extensions', String(repeatedExtensions), '-node-each'] : [],
    refusing > 0 ? ['-nack', String(refusing)] : [],
  ].flat();
  const { stdout } = await run('taskset', ['-c', DRIVER_CORE, program, ...args], {
    maxBuffer: 64 * 2 ** 20,
    timeout: 600_000,
  });
  return JSON.parse(stdout) as LoadReport;
}
