/**
 * Plays a fleet as peers/cmd/xds-load does, where there is no Go to build that. It costs more than the server that it
 * drives: its times compare Attaché with itself only. `node node-driver.ts <NodeDriverOrder as JSON>` prints a LoadReport.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as rest } from 'node:timers/promises';
import { until } from '../../test/harness/wait.ts';
import { readMiB, readTreeCpuMs } from '../process-cost.ts';
import type { LoadReport } from './load.ts';
import { NodeFleet } from './node-fleet.ts';
import type { Scenario, Side } from './side.ts';

export interface NodeDriverOrder {
  readonly side: Pick<Side, 'address' | 'modules' | 'pid' | 'resource' | 'trigger'>;
  readonly scenario: Scenario;
  readonly settleMs: number;
}

const LIMIT_MS = 120_000;

async function play({ side, scenario, settleMs }: NodeDriverOrder): Promise<LoadReport> {
  const { streams } = scenario;
  const fleet = new NodeFleet(side, scenario);
  const before = readAllMs(side.pid);
  const began = performance.now();
  await fleet.openAll();
  const initial_all_s = (performance.now() - began) / 1000;
  await rest(settleMs);
  const connect = {
    initial_all_s,
    missing: streams - fleet.ready,
    server_cpu_ms: readAllMs(side.pid) - before,
  };
  const rounds: LoadReport['rounds'][number][] = [];
  for (let round = 1; round <= scenario.pushes; round++)
    rounds.push(await push(fleet, { side, scenario, settleMs }, round));
  return { setup: { node_bytes: 0 }, connect, rounds, lost: fleet.lost };
}

async function push(fleet: NodeFleet, { side, scenario, settleMs }: NodeDriverOrder, round: number) {
  const server = readAllMs(side.pid);
  const { children } = readTreeCpuMs(side.pid);
  const own = process.cpuUsage();
  const alive = scenario.streams - fleet.lostCount;
  fleet.beginRound();
  await pull(side.trigger, round);
  await until(() => fleet.arrived >= alive, { what: 'the push', everyMs: 5, deadlineMs: LIMIT_MS });
  await rest(settleMs);
  const { user, system } = process.cpuUsage(own);
  const times = fleet.latencies;
  const at = (share: number) => times[Math.max(0, Math.ceil(share * times.length) - 1)] ?? Number.NaN;
  return {
    latency_ms: { p50: at(0.5), p99: at(0.99), max: at(1) },
    got: times.length,
    missed: alive - times.length,
    repeats: fleet.counts.repeats,
    again: fleet.counts.again,
    nacks: fleet.counts.nacks,
    ...fleet.fetches,
    response_bytes: fleet.counts.bytes,
    server_cpu_ms: readAllMs(side.pid) - server,
    server_child_ms: readTreeCpuMs(side.pid).children - children,
    server_rss_mb: readMiB(side.pid, 'VmRSS'),
    client_cpu_ms: (user + system) / 1000,
  };
}

/** `METHOD URL [BODY-FILE]`, with `{round}` in both. */
async function pull(trigger: string, round: number): Promise<void> {
  const [method = '', url = '', file] = trigger.replaceAll('{round}', String(round)).split(' ');
  const body = file === undefined ? null : readFileSync(file, 'utf8').replaceAll('{round}', String(round));
  const response = await fetch(url, { method, body, headers: { 'content-type': 'application/json' } });
  if (!response.ok) throw new Error(`${method} ${url}: ${response.status} ${await response.text()}`);
}

function readAllMs(pid: number): number {
  const { own, children } = readTreeCpuMs(pid);
  return own + children;
}

process.stdout.write(JSON.stringify(await play(JSON.parse(process.argv[2] ?? '') as NodeDriverOrder)), () =>
  process.exit(0),
);
