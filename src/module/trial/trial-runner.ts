import type { Clock } from '../../model/ports.ts';
import { AS_ENVOY, SMALL, toLimitMs } from './trial-bounds.ts';
import type { ChildBounds } from './trial-child.ts';
import { type TrialModule, toTrialModule } from './trial-module.ts';
import { createTrialFork, type RunTrialProcess } from './trial-process.ts';
import type { TrialOrder } from './trial-protocol.ts';
import { TrialQueue } from './trial-queue.ts';
import { type TrialResult, toNotRun } from './trial-result.ts';

export interface TrialRunnerOptions {
  readonly clock: Clock;
  /** Processes at once; default 2. */
  readonly parallel?: number;
  /** Runs that may wait; default 64. One more is `not-run`. */
  readonly waiting?: number;
  /** A module's own time, ms; default 2 s and a second for each MB, at most 30 s. */
  readonly limitMs?: number;
  /** Starts the processes; default: they are forked from this one. */
  readonly runProcess?: RunTrialProcess;
}

/** A plugin as it is to run. */
export interface TrialInput {
  /** The oldest Envoy that it is for; empty: the newest. */
  readonly envoyVersion: string;
  /** Envoy's PluginConfig.name. */
  readonly plugin: string;
  /** The text that Envoy hands over; empty: none. */
  readonly pluginConfig: string;
  /** Envoy's root_id. */
  readonly pluginName: string;
  readonly env: readonly {
    readonly name: string;
    readonly value?: string;
    readonly valueFrom?: 'INLINE' | 'HOST';
  }[];
}

export interface TrialRunner {
  /** Whatever the module does is a result. Rejects only where it cannot be loaded, or when `signal` or close() ended it. */
  run(module: Uint8Array | TrialModule, input: TrialInput, signal?: AbortSignal): Promise<TrialResult>;
  /** Ends all runs, and those that wait. */
  close(): Promise<void>;
}

const NEWEST_MINOR = 40;

/**
 * Runs plugins as Envoy would, each module in a process that has run nothing else, two at a time: start function, root context,
 * proxy_on_vm_start and proxy_on_configure with the real configuration. A plugin that fails in a small process is
 * tried once more with all that Envoy gives, one at a time. The outcome is advice: Envoy itself decides.
 */
export function createTrialRunner(options: TrialRunnerOptions): TrialRunner {
  const { clock, parallel = 2, waiting = 64 } = options;
  const runProcess = options.runProcess ?? createTrialFork(clock);
  const closing = new AbortController();
  const queue = new TrialQueue(parallel, waiting);
  // A hog takes a gibibyte then.
  const large = new TrialQueue(1, Number.POSITIVE_INFINITY);
  const running = new Set<Promise<unknown>>();

  const tryBoth = async (of: Uint8Array | TrialModule, input: TrialInput, signal: AbortSignal) => {
    const module = of instanceof Uint8Array ? toTrialModule(of) : of;
    const limitMs = options.limitMs ?? toLimitMs(module.sizeBytes);
    const order = toOrder(input, clock.now());
    const run = (bounds: ChildBounds) => runProcess(module, order, { ...bounds, limitMs }, signal);
    const first = await run(SMALL);
    return isFinal(first) ? first : large.run(() => run(AS_ENVOY), signal);
  };

  return {
    async run(module, input, signal) {
      if (queue.isFull) return toNotRun(`${waiting} others wait for their trial run`);
      const ended = signal === undefined ? closing.signal : AbortSignal.any([signal, closing.signal]);
      const work = queue.run(() => tryBoth(module, input, ended), ended);
      running.add(work);
      try {
        return await work;
      } finally {
        running.delete(work);
      }
    },
    async close() {
      closing.abort();
      await Promise.allSettled(running);
    },
  };
}

/** A loop does not end with more memory either. */
function isFinal({ outcome }: TrialResult): boolean {
  return outcome === 'ok' || outcome === 'timed-out' || outcome === 'not-run';
}

function toOrder(input: TrialInput, now: number): TrialOrder {
  const { plugin, pluginConfig, pluginName, env } = input;
  const isHost = ({ valueFrom }: TrialInput['env'][number]) => valueFrom === 'HOST';
  return {
    envoyMinor: toMinor(input.envoyVersion),
    plugin,
    rootId: pluginName,
    configuration: pluginConfig,
    env: env.filter(one => !isHost(one)).map(({ name, value = '' }) => [name, value] as const),
    hostEnv: env.filter(isHost).map(({ name }) => name),
    now,
  };
}

function toMinor(envoyVersion: string): number {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(envoyVersion) ?? [];
  return major === '1' && minor !== undefined ? Number(minor) : NEWEST_MINOR;
}
