import type { HostCalls } from '../host-call.ts';
import { type Imported, linkHost, wrap } from '../link-host.ts';
import { Result } from '../trial-protocol.ts';
import { httpCallCalls, queueCalls } from './host-calls.ts';
import { headerCalls } from './host-headers.ts';
import { propertyCalls } from './host-properties.ts';
import { streamCalls } from './host-streams.ts';
import type { StreamGuest } from './stream-guest.ts';

const COUNTER = 0;
const GAUGE = 1;
/** As WASI numbers them: of the day, and one that never goes back. */
const CLOCKS = [0, 1];

/** The host of a trial, with what is different while requests pass. */
export function linkStreams(guest: StreamGuest): ReadonlyMap<string, Imported> {
  const linked = new Map(linkHost(guest));
  const base = (name: string): Imported => linked.get(name) ?? (() => Result.unimplemented);
  const add = (prefix: string, calls: HostCalls) => {
    for (const [name, call] of Object.entries(calls))
      linked.set(prefix + name, wrap(guest, prefix + name, call));
  };
  const parts = [
    headerCalls(guest),
    streamCalls(guest),
    propertyCalls(guest, base('env.proxy_get_property')),
    httpCallCalls(guest),
    queueCalls(guest, base('env.proxy_enqueue_shared_queue')),
    metricCalls(guest, base),
  ];
  for (const part of parts) add('env.proxy_', part);
  for (const module of ['wasi_unstable.', 'wasi_snapshot_preview1.'])
    add(module, clockCalls(guest, base(`${module}clock_time_get`)));
  return linked;
}

/** Every clock of the plugin stands still until the request file moves it. */
function clockCalls(guest: StreamGuest, base: Imported): HostCalls {
  return {
    clock_time_get(clock: number, precision: bigint, at: number) {
      const result = base(clock, precision, at);
      if (result === 0 && CLOCKS.includes(clock)) guest.memory.writeLong(at, guest.now());
      return result;
    },
  };
}

/** Keeps count beside the host's own: what was defined under which name, and what became of it. */
function metricCalls(guest: StreamGuest, base: (name: string) => Imported): HostCalls {
  const define = base('env.proxy_define_metric');
  const increment = base('env.proxy_increment_metric');
  const record = base('env.proxy_record_metric');
  const names = new Map<number, string>();
  const count = (id: number, change: (value: number) => number) => {
    const name = names.get(id);
    if (name !== undefined) guest.metrics[name] = change(guest.metrics[name] ?? 0);
  };
  return {
    define_metric(type: number, at: number, size: number, idAt: number) {
      const result = define(type, at, size, idAt);
      const id = result === Result.ok ? guest.memory.readWord(idAt) : undefined;
      if (id !== undefined) names.set(id, guest.text(at, size) ?? '');
      if (id !== undefined && (type === COUNTER || type === GAUGE)) count(id, value => value);
      return result;
    },
    increment_metric(id: number, offset: bigint) {
      const result = increment(id, offset);
      if (result === Result.ok) count(id, value => value + Number(offset));
      return result;
    },
    record_metric(id: number, value: bigint) {
      const result = record(id, value);
      if (result === Result.ok)
        count(id, before => ((id & 3) === COUNTER ? before + Number(value) : Number(value)));
      return result;
    },
  };
}
