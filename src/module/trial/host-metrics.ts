import type { Guest } from './guest.ts';
import { type HostCalls, toResult } from './host-call.ts';
import { Result } from './trial-protocol.ts';

const { ok, notFound, badArgument, invalidMemoryAccess } = Result;

const COUNTER = 0;
const GAUGE = 1;
const HISTOGRAM = 2;

/** Counters, gauges and histograms: the two low bits of an id tell which. */
export function metricCalls(guest: Guest): HostCalls {
  const values = new Map<number, bigint>();
  const next = [COUNTER, GAUGE, HISTOGRAM];
  return {
    define_metric(type: number, at: number, size: number, idAt: number) {
      const name = guest.text(at, size);
      if (name === undefined) return invalidMemoryAccess;
      if (type > HISTOGRAM) return badArgument;
      guest.witness.want('metric', name);
      const id = (next[type] ?? 0) + 4;
      next[type] = id;
      values.set(id, 0n);
      return toResult(guest.memory.writeWord(idAt, id));
    },
    increment_metric(id: number, offset: bigint) {
      const type = id & 3;
      if (type !== COUNTER && type !== GAUGE) return badArgument;
      const value = values.get(id);
      if (value === undefined) return notFound;
      if (type === COUNTER && offset <= 0n) return badArgument;
      values.set(id, BigInt.asUintN(64, value + offset));
      return ok;
    },
    record_metric(id: number, value: bigint) {
      const before = values.get(id);
      if (before === undefined) return notFound;
      values.set(id, BigInt.asUintN(64, (id & 3) === COUNTER ? before + value : value));
      return ok;
    },
    get_metric(id: number, at: number) {
      const type = id & 3;
      if (type !== COUNTER && type !== GAUGE) return badArgument;
      const value = values.get(id);
      return value === undefined ? notFound : toResult(guest.memory.writeLong(at, value));
    },
  };
}
