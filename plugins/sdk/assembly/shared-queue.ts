// Queues of texts that all VMs of a process share, whatever plugin they run.
import {
  proxy_dequeue_shared_queue, proxy_enqueue_shared_queue, proxy_register_shared_queue, proxy_resolve_shared_queue,
} from "./externals";
import { addressOf, encode, sizeSlot, takeText, valueSlot } from "./memory";

/** Opens a queue of this plugin; onQueueReady comes when something is put into it. In onConfigure. */
export function registerQueue(name: string): u32 {
  const bytes = encode(name);
  proxy_register_shared_queue(addressOf(bytes), bytes.byteLength, valueSlot());
  return load<u32>(valueSlot());
}

/** A queue that a plugin opened, by the vm_id of that plugin, "" for this one's; 0 where there is none. */
export function findQueue(vmId: string, name: string): u32 {
  const vm = encode(vmId);
  const bytes = encode(name);
  const status = proxy_resolve_shared_queue(
    addressOf(vm), vm.byteLength, addressOf(bytes), bytes.byteLength, valueSlot(),
  );
  return status == 0 ? load<u32>(valueSlot()) : 0;
}

/** False: there is no such queue. */
export function enqueue(queue: u32, text: string): bool {
  const bytes = encode(text);
  return proxy_enqueue_shared_queue(queue, addressOf(bytes), bytes.byteLength) == 0;
}

/** The oldest text; null where the queue is empty. */
export function dequeue(queue: u32): string | null {
  return takeText(proxy_dequeue_shared_queue(queue, valueSlot(), sizeSlot()));
}
