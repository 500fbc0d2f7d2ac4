import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { DRIVER_CORE, MISS_TEXT, type Scenario, type Side } from './side.ts';

const run = promisify(execFile);
const NODE_DRIVER = fileURLToPath(new URL('node-driver.ts', import.meta.url));

/** Milliseconds over the streams. */
interface Times {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** What a driver prints; the parts that are used. Times in ms, memory in MiB. */
export interface LoadReport {
  readonly setup: { readonly node_bytes: number };
  readonly connect: {
    readonly initial_all_s: number;
    readonly missing: number;
    readonly server_cpu_ms: number;
  };
  readonly rounds: readonly {
    readonly latency_ms: Times;
    readonly got: number;
    readonly missed: number;
    /** Responses beyond the first new one of a stream. */
    readonly repeats: number;
    /** Those of them that brought what the stream had just refused. */
    readonly again: number;
    readonly nacks: number;
    /** Refusals because the module was not there yet; modules that came whole, and that did not. */
    readonly misses: number;
    readonly fetched: number;
    readonly unfetched: number;
    readonly response_bytes: number;
    /** With child processes. */
    readonly server_cpu_ms: number;
    /** Of child processes alone. */
    readonly server_child_ms: number;
    readonly server_rss_mb: number;
    readonly client_cpu_ms: number;
  }[];
  /** Streams that ended, by reason. */
  readonly lost: Readonly<Record<string, number>>;
}

/** Quiet time after the last arrival, in which answers get through; more streams have more of them. */
function toSettleMs({ name }: Side, { streams, refusing }: Scenario): number {
  // Attaché judges a refusal a second after it came, and may try once more then; go-control-plane is through with it at once.
  return (refusing > 0 && name !== 'go-control-plane' ? 3_000 : 500) + streams / 20;
}

/** Plays the fleet against one side with xds-load. `more`: further flags of it. */
export function playFleet(
  program: string,
  side: Side,
  scenario: Scenario,
  more: readonly string[] = [],
): Promise<LoadReport> {
  const { streams, form, pushes, repeatedExtensions, refusing, fetches } = scenario;
  const args = [
    ['-addr', side.address, '-server-pid', String(side.pid), '-names', side.resource],
    ['-streams', String(streams), '-mode', form, '-pushes', String(pushes), '-trigger', side.trigger],
    ['-trigger-header', 'content-type: application/json', '-timeout', '120s'],
    ['-settle', `${toSettleMs(side, scenario)}ms`],
    repeatedExtensions > 0 ? ['-node-extensions', String(repeatedExtensions), '-node-each'] : [],
    refusing > 0 ? ['-nack', String(refusing)] : [],
    fetches ? ['-fetch', side.modules ?? '', '-fetch-problem', MISS_TEXT] : [],
    more,
  ].flat();
  return runDriver([program, ...args]);
}

/** The same where there is no Go, by a driver in Node. */
export function playFleetInNode(side: Side, scenario: Scenario): Promise<LoadReport> {
  const order = { side, scenario, settleMs: toSettleMs(side, scenario) };
  return runDriver([process.execPath, NODE_DRIVER, JSON.stringify(order)]);
}

async function runDriver(command: readonly string[]): Promise<LoadReport> {
  const { stdout } = await run('taskset', ['-c', DRIVER_CORE, ...command], {
    maxBuffer: 64 * 2 ** 20,
    timeout: 600_000,
  });
  return JSON.parse(stdout) as LoadReport;
}
