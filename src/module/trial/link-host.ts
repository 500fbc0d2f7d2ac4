import type { Guest } from './guest.ts';
import { bufferCalls } from './host-buffers.ts';
import type { HostCalls } from './host-call.ts';
import { calloutCalls } from './host-callouts.ts';
import { contextCalls } from './host-context.ts';
import { sharedCalls } from './host-data.ts';
import { foreignCalls } from './host-foreign.ts';
import { metricCalls } from './host-metrics.ts';
import { wasiCalls } from './host-wasi.ts';
import { Result } from './trial-protocol.ts';

/** A function as WebAssembly calls it: i32 as signed numbers, i64 as signed bigint. */
export type Imported = (...args: (number | bigint)[]) => number | undefined;

/** Every function that Envoy 1.40 links, by `<module>.<name>`, over all ABI versions; the static check knows which are whose. */
export function linkHost(guest: Guest): ReadonlyMap<string, Imported> {
  const linked = new Map<string, Imported>();
  const add = (prefix: string, calls: HostCalls) => {
    for (const [name, call] of Object.entries(calls))
      linked.set(prefix + name, wrap(guest, prefix + name, call));
  };
  for (const calls of [contextCalls, bufferCalls, calloutCalls, sharedCalls, metricCalls, foreignCalls])
    add('env.proxy_', calls(guest));
  add('env.', {
    pthread_equal: (a: number, b: number) => Number(a === b),
    emscripten_notify_memory_growth: () => undefined,
    envoy_resolve_dns: (at: number, size: number, tokenAt: number) => resolveDns(guest, at, size, tokenAt),
  });
  const wasi = wasiCalls(guest);
  for (const module of ['wasi_unstable.', 'wasi_snapshot_preview1.']) add(module, wasi);
  return linked;
}

/** The answer comes later, and so never in a trial. */
function resolveDns(guest: Guest, at: number, size: number, tokenAt: number): number {
  const isDone = guest.memory.holds(at, size) && guest.memory.writeWord(tokenAt, 1);
  return isDone ? Result.ok : Result.invalidMemoryAccess;
}

/** A host function as WebAssembly calls it. */
export function wrap(guest: Guest, name: string, call: HostCalls[string]): Imported {
  const run = call as (...args: (number | bigint)[]) => number | undefined;
  return (...args) => {
    guest.enter(name);
    return run(...args.map(arg => (typeof arg === 'number' ? arg >>> 0 : arg)));
  };
}
