import type { Guest } from './guest.ts';
import { type HostCalls, toResult } from './host-call.ts';
import { Result } from './trial-protocol.ts';

const { ok, notFound, invalidMemoryAccess, empty, casMismatch } = Result;

/** Data and queues that the VMs of a process share: empty here, and perhaps not on a node. */
export function sharedCalls(guest: Guest): HostCalls {
  const { witness } = guest;
  const data = new Map<string, { readonly value: Buffer; readonly cas: number }>();
  const queues = new Map<string, { readonly token: number; readonly entries: Buffer[] }>();
  let lastCas = 0;
  const mayBeThere = (key: string) =>
    witness.unknowable(
      `shared data ${JSON.stringify(key)} may be there on a node that ran the plugin before`,
    );
  const findQueue = (token: number) => [...queues.values()].find(queue => queue.token === token);
  return {
    get_shared_data(at: number, size: number, addressAt: number, sizeAt: number, casAt: number) {
      const key = guest.text(at, size);
      if (key === undefined) return invalidMemoryAccess;
      const found = data.get(key);
      if (found === undefined) {
        mayBeThere(key);
        return notFound;
      }
      const result = guest.answer(found.value, addressAt, sizeAt);
      return result === ok ? toResult(guest.memory.writeWord(casAt, found.cas)) : result;
    },
    set_shared_data(at: number, size: number, valueAt: number, valueSize: number, cas: number) {
      const key = guest.text(at, size);
      const value = guest.memory.read(valueAt, valueSize);
      if (key === undefined || value === undefined) return invalidMemoryAccess;
      const found = data.get(key);
      if (found === undefined && cas !== 0) mayBeThere(key);
      if (found !== undefined && cas !== 0 && cas !== found.cas) return casMismatch;
      data.set(key, { value, cas: ++lastCas });
      return ok;
    },
    register_shared_queue(at: number, size: number, tokenAt: number) {
      const name = guest.text(at, size);
      if (name === undefined) return invalidMemoryAccess;
      const queue = queues.get(name) ?? { token: queues.size + 1, entries: [] };
      queues.set(name, queue);
      return toResult(guest.memory.writeWord(tokenAt, queue.token));
    },
    resolve_shared_queue(vmAt: number, vmSize: number, at: number, size: number, tokenAt: number) {
      const vm = guest.text(vmAt, vmSize);
      const name = guest.text(at, size);
      if (vm === undefined || name === undefined) return invalidMemoryAccess;
      const queue = vm === '' ? queues.get(name) : undefined;
      if (queue !== undefined) return toResult(guest.memory.writeWord(tokenAt, queue.token));
      witness.unknowable(`shared queue ${JSON.stringify(name)} may be there on a node`);
      return notFound;
    },
    dequeue_shared_queue(token: number, addressAt: number, sizeAt: number) {
      const queue = findQueue(token);
      if (queue === undefined) return notFound;
      const entry = queue.entries.shift();
      if (entry !== undefined) return guest.answer(entry, addressAt, sizeAt);
      witness.unknowable('shared queues may hold something on a node that ran the plugin before');
      return empty;
    },
    enqueue_shared_queue(token: number, at: number, size: number) {
      const entry = guest.memory.read(at, size);
      if (entry === undefined) return invalidMemoryAccess;
      const queue = findQueue(token);
      if (queue === undefined) return notFound;
      queue.entries.push(entry);
      return ok;
    },
  };
}
