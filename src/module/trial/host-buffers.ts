import type { Guest } from './guest.ts';
import { type HostCalls, toResult } from './host-call.ts';
import { Result } from './trial-protocol.ts';

const { notFound, badArgument, invalidMemoryAccess } = Result;

export const MAX_BUFFER = 8;
const HTTP_CALL_RESPONSE_BODY = 4;
const PLUGIN_CONFIGURATION = 7;

/** The buffers, of which two are there while a plugin starts: the configuration of the VM (empty) and its own. */
export function bufferCalls(guest: Guest): HostCalls {
  /** Undefined: there is no such buffer now. */
  const find = (type: number): Buffer | undefined => {
    switch (type) {
      case HTTP_CALL_RESPONSE_BODY:
        return undefined;
      case PLUGIN_CONFIGURATION:
        return guest.hasConfiguration ? Buffer.from(guest.order.configuration) : undefined;
      default:
        return Buffer.alloc(0);
    }
  };
  return {
    ...bufferReads(guest, find),
    set_buffer_bytes(type: number, _start: number, _length: number, at: number, size: number) {
      if (type > MAX_BUFFER) return badArgument;
      if (find(type) === undefined) return notFound;
      return guest.memory.holds(at, size) ? badArgument : invalidMemoryAccess;
    },
    /** ABI 0.1.0: the plugin's while that is set, else the VM's, which is empty. */
    get_configuration: (addressAt: number, sizeAt: number) =>
      guest.answer(find(PLUGIN_CONFIGURATION) ?? Buffer.alloc(0), addressAt, sizeAt),
  };
}

/** Reading of whatever buffers there are; `find`: undefined, there is no such buffer now. */
export function bufferReads(guest: Guest, find: (type: number) => Buffer | undefined): HostCalls {
  return {
    get_buffer_bytes(type: number, start: number, length: number, addressAt: number, sizeAt: number) {
      if (type > MAX_BUFFER) return badArgument;
      const bytes = find(type)?.subarray(start, start + length);
      return bytes === undefined ? notFound : guest.answer(bytes, addressAt, sizeAt);
    },
    get_buffer_status(type: number, sizeAt: number, flagsAt: number) {
      if (type > MAX_BUFFER) return badArgument;
      const bytes = find(type);
      if (bytes === undefined) return notFound;
      return toResult(guest.memory.writeWord(sizeAt, bytes.length) && guest.memory.writeWord(flagsAt, 0));
    },
  };
}
