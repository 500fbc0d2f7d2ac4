import type { HostCalls } from '../host-call.ts';
import { readPairs, writePairs } from '../pairs.ts';
import { Result } from '../trial-protocol.ts';
import type { HeaderList } from './header-map.ts';
import type { StreamGuest } from './stream-guest.ts';

const { ok, notFound, badArgument, invalidMemoryAccess } = Result;

const MAX_MAP = 7;

/** Header maps while requests pass: Envoy's answers for what is there, and for what has gone on already. */
export function headerCalls(guest: StreamGuest): HostCalls {
  const refuse = (type: number) => (type > MAX_MAP ? badArgument : undefined);
  const change = (
    type: number,
    [at, size]: readonly [number, number],
    [valueAt, valueSize]: readonly [number, number],
    edit: (list: HeaderList, name: string, value: string) => void,
  ): number => {
    if (type > MAX_MAP) return badArgument;
    const name = guest.text(at, size);
    const value = guest.text(valueAt, valueSize);
    if (name === undefined || value === undefined) return invalidMemoryAccess;
    const list = findWritable(guest, type);
    if (list === undefined) return badArgument;
    edit(list, name, value);
    return ok;
  };
  return {
    get_header_map_value(type: number, at: number, size: number, valueAt: number, sizeAt: number) {
      const refused = refuse(type);
      if (refused !== undefined) return refused;
      const name = guest.text(at, size);
      if (name === undefined) return invalidMemoryAccess;
      const list = findReadable(guest, type);
      if (list === undefined) return badArgument;
      const value = list.get(name) ?? (guest.isOldAbi ? '' : undefined);
      return value === undefined ? notFound : guest.answer(Buffer.from(value), valueAt, sizeAt);
    },
    get_header_map_pairs: (type: number, addressAt: number, sizeAt: number) =>
      refuse(type) ?? guest.answer(writePairs(findReadable(guest, type)?.pairs ?? []), addressAt, sizeAt),
    get_header_map_size(type: number, sizeAt: number) {
      const list = findWritable(guest, type);
      if (type > MAX_MAP || list === undefined) return badArgument;
      return guest.memory.writeWord(sizeAt, list.sizeBytes) ? ok : invalidMemoryAccess;
    },
    add_header_map_value: (type: number, at: number, size: number, valueAt: number, valueSize: number) =>
      change(type, [at, size], [valueAt, valueSize], (list, name, value) => list.add(name, value)),
    replace_header_map_value: (type: number, at: number, size: number, valueAt: number, valueSize: number) =>
      change(type, [at, size], [valueAt, valueSize], (list, name, value) => list.replace(name, value)),
    remove_header_map_value: (type: number, at: number, size: number) =>
      change(type, [at, size], [0, 0], (list, name) => list.remove(name)),
    set_header_map_pairs(type: number, at: number, size: number) {
      if (type > MAX_MAP) return badArgument;
      const bytes = guest.memory.read(at, size);
      if (bytes === undefined) return invalidMemoryAccess;
      const list = findWritable(guest, type);
      list?.set(readPairs(bytes));
      return list === undefined ? badArgument : ok;
    },
  };
}

/** The map of a number, as long as it has not gone on. */
function findWritable({ stream }: StreamGuest, type: number): HeaderList | undefined {
  const message = type < 2 ? stream?.request : stream?.response;
  if (message === undefined || type > 3) return undefined;
  if (type % 2 === 0) return message.hasHeaders ? message.headers : undefined;
  return message.hasTrailers ? message.trailers : undefined;
}

function findReadable(guest: StreamGuest, type: number): HeaderList | undefined {
  if (type === 6) return guest.arrived?.headers;
  if (type === 7) return guest.arrived?.trailers;
  const { stream } = guest;
  if (stream?.isLogged) {
    if (type === 0) return stream.request.headers;
    if (type === 2) return stream.response?.headers;
    if (type === 3) return stream.response?.trailers;
  }
  return findWritable(guest, type);
}
