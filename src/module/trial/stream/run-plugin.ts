import type { Exchange, PluginRun, RunLog, RunPlan } from '../../../model/plugin-run.ts';
import type { Clock } from '../../../model/ports.ts';
import { toProcessorS } from '../trial-bounds.ts';
import { type ChildReport, runChild } from '../trial-process.ts';
import { toTrialResult } from '../trial-result.ts';
import type { StreamEvent, StreamOrder } from './stream-protocol.ts';

/** As much memory as Envoy gives: whoever tests a plugin waits for one alone. */
const BOUNDS = { memoryPages: 16_384, heapMiB: 512, isOptimized: false };
/** Of the module's own time, beside what its size and its requests are given. */
const LIMIT_MS = 10_000;
const LIMIT_MS_PER_STEP = 100;
const NEWEST_MINOR = 40;

/**
 * Runs a plugin with the requests of a plan, in a child process that has nothing but its pipes. Whatever the plugin does
 * is a result. Rejects only when `signal` ended it.
 */
export async function runPlugin(
  bytes: Uint8Array,
  plan: RunPlan,
  clock: Clock,
  signal: AbortSignal,
): Promise<PluginRun> {
  const limitMs = LIMIT_MS + Math.ceil(bytes.length / 1000) + LIMIT_MS_PER_STEP * plan.steps.length;
  const bounds = { ...BOUNDS, limitMs, processorS: toProcessorS(limitMs) };
  const run = { entry: 'stream-entry', bytes, order: toOrder(plan), bounds } as const;
  return toPluginRun(await runChild<StreamEvent>(run, clock, signal));
}

function toOrder(plan: RunPlan): StreamOrder {
  const [, minor] = /^1\.(\d+)/.exec(plan.envoyVersion) ?? [];
  return {
    envoyMinor: minor === undefined ? NEWEST_MINOR : Number(minor),
    plugin: plan.plugin,
    rootId: plan.pluginName,
    configuration: plan.pluginConfig,
    env: Object.entries(plan.env),
    hostEnv: [],
    now: plan.nowMs,
    properties: plan.properties,
    calls: plan.calls,
    steps: plan.steps,
  };
}

/** What the child told, in order: log lines are those of the exchange behind them. */
function toPluginRun({ events, ending }: ChildReport<StreamEvent>): PluginRun {
  const exchanges: Exchange[] = [];
  let startLogs: readonly RunLog[] | undefined;
  let logs: RunLog[] = [];
  let metrics: Readonly<Record<string, number>> = {};
  for (const event of events) {
    switch (event.kind) {
      case 'log':
        logs.push({ level: event.level, message: event.message });
        break;
      case 'started':
        startLogs = logs;
        logs = [];
        break;
      case 'exchange':
        exchanges.push({ ...event.exchange, logs });
        logs = [];
        break;
      case 'metrics':
        metrics = event.metrics;
        break;
      default:
    }
  }
  const { outcome, reason } = judge(events, ending);
  // A plugin that did not start logged nothing later.
  const [first, last] = startLogs === undefined ? [logs, []] : [startLogs, logs];
  return { outcome, reason, startLogs: first, exchanges, endLogs: last, metrics };
}

function judge(
  events: readonly StreamEvent[],
  ending: ChildReport<StreamEvent>['ending'],
): Pick<PluginRun, 'outcome' | 'reason'> {
  const isOfTrial = ({ kind }: StreamEvent) =>
    kind === 'ready' || kind === 'call' || kind === 'log' || kind === 'end';
  const { outcome, reason } = toTrialResult(
    events.filter(isOfTrial) as Parameters<typeof toTrialResult>[0],
    ending,
  );
  // What only a node knows stands in the request file here: it says no, or it does not.
  return { outcome: outcome === 'unsure' ? 'refused' : outcome, reason };
}
