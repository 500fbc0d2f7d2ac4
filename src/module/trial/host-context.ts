import type { Guest } from './guest.ts';
import { type HostCalls, toResult } from './host-call.ts';
import { writePairs } from './pairs.ts';
import { Result } from './trial-protocol.ts';

const { ok, notFound, badArgument, invalidMemoryAccess, unimplemented } = Result;

const MAX_HEADER_MAP = 7;
const MAX_STREAM = 3;
const UPSTREAM = 3;
const LEVEL_CRITICAL = 5;
const LEVEL_INFO = 2;

/** Log, properties, time, streams and header maps, as a root context of Envoy answers them while it starts. */
export function contextCalls(guest: Guest): HostCalls {
  const { witness } = guest;
  const mapCall = (type: number) => (type > MAX_HEADER_MAP ? badArgument : undefined);
  return {
    log(level: number, at: number, size: number) {
      if (level > LEVEL_CRITICAL) return badArgument;
      const text = guest.text(at, size);
      if (text === undefined) return invalidMemoryAccess;
      witness.log(level, text);
      return ok;
    },
    get_log_level: (at: number) => toResult(guest.memory.writeWord(at, LEVEL_INFO)),
    get_status(codeAt: number, addressAt: number, sizeAt: number) {
      return guest.memory.writeWord(codeAt, 0)
        ? guest.answer(Buffer.alloc(0), addressAt, sizeAt)
        : invalidMemoryAccess;
    },
    get_current_time_nanoseconds: (at: number) => toResult(guest.memory.writeLong(at, guest.now())),
    set_tick_period_milliseconds: () => ok,
    set_effective_context: (id: number) => (id <= 1 ? ok : badArgument),
    // Nothing is being shut down.
    done: () => notFound,

    get_property(at: number, size: number, addressAt: number, sizeAt: number) {
      const path = guest.text(at, size);
      if (path === undefined) return invalidMemoryAccess;
      const parts = path.replace(/\0$/, '').split('\0');
      witness.want('property', parts.join('.'));
      const value = findProperty(guest, parts);
      return value === undefined ? notFound : guest.answer(Buffer.from(value), addressAt, sizeAt);
    },
    set_property(at: number, size: number, valueAt: number, valueSize: number) {
      const { memory } = guest;
      // There is no request to set it on.
      return memory.holds(at, size) && memory.holds(valueAt, valueSize) ? notFound : invalidMemoryAccess;
    },

    continue_request: () => ok,
    continue_response: () => ok,
    clear_route_cache: () => ok,
    continue_stream: (type: number) =>
      type > MAX_STREAM ? badArgument : type === UPSTREAM ? unimplemented : ok,
    close_stream: (type: number) => (type > MAX_STREAM ? badArgument : ok),
    send_local_response(
      _code: number,
      detailsAt: number,
      detailsSize: number,
      bodyAt: number,
      bodySize: number,
      headersAt: number,
      headersSize: number,
    ) {
      const { memory } = guest;
      const isReadable =
        memory.holds(detailsAt, detailsSize) &&
        memory.holds(bodyAt, bodySize) &&
        memory.holds(headersAt, headersSize);
      return toResult(isReadable);
    },

    // No message passes yet: there are no headers of any kind.
    get_header_map_value: (type: number, at: number, size: number) =>
      mapCall(type) ?? (guest.memory.holds(at, size) ? badArgument : invalidMemoryAccess),
    add_header_map_value: (type: number, at: number, size: number, valueAt: number, valueSize: number) =>
      mapCall(type) ?? refuseTwo(guest, at, size, valueAt, valueSize),
    replace_header_map_value: (type: number, at: number, size: number, valueAt: number, valueSize: number) =>
      mapCall(type) ?? refuseTwo(guest, at, size, valueAt, valueSize),
    remove_header_map_value: (type: number, at: number, size: number) =>
      mapCall(type) ?? (guest.memory.holds(at, size) ? badArgument : invalidMemoryAccess),
    get_header_map_pairs: (type: number, addressAt: number, sizeAt: number) =>
      mapCall(type) ?? guest.answer(writePairs([]), addressAt, sizeAt),
    set_header_map_pairs: (type: number, at: number, size: number) =>
      mapCall(type) ?? (guest.memory.holds(at, size) ? badArgument : invalidMemoryAccess),
    get_header_map_size: (type: number) => mapCall(type) ?? badArgument,
  };
}

function refuseTwo(guest: Guest, at: number, size: number, otherAt: number, otherSize: number): number {
  const { memory } = guest;
  return memory.holds(at, size) && memory.holds(otherAt, otherSize) ? badArgument : invalidMemoryAccess;
}

/** Outside of a request Envoy knows these alone. https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/advanced/attributes */
function findProperty({ order, witness }: Guest, parts: readonly string[]): string | undefined {
  if (parts[0] === 'xds') {
    witness.unknowable(`property ${parts.join('.')} is known to the node alone`);
    return undefined;
  }
  if (parts.length > 1) return undefined;
  if (parts[0] === 'plugin_name') return order.plugin;
  if (parts[0] === 'plugin_root_id') return order.rootId;
  if (parts[0] === 'plugin_vm_id') witness.unknowable('property plugin_vm_id is given by the compiler');
  return undefined;
}
