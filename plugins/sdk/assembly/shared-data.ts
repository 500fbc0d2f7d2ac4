// Values that all VMs of one vm_id share within a process, the workers' and the main thread's alike.
import { proxy_get_shared_data, proxy_set_shared_data } from "./externals";
import { addressOf, encode, sizeSlot, takeText, valueSlot } from "./memory";

/** What the host answers when somebody else wrote meanwhile. */
const CAS_MISMATCH: i32 = 8;

/** Where the host writes the version of a value; 0 makes a write unconditional. */
const version = memory.data(4);

/** The text behind a key; null where there is none. */
export function readShared(key: string): string | null {
  store<u32>(version, 0);
  const name = encode(key);
  return takeText(proxy_get_shared_data(addressOf(name), name.byteLength, valueSlot(), sizeSlot(), version));
}

/** Puts a text behind a key, whatever stood there. */
export function writeShared(key: string, value: string): void {
  write(key, value, 0);
}

/**
 * Puts a text behind the key that was read last with `readShared`. False: somebody else wrote meanwhile; read again. Where there
 * was nothing yet, the last of several first writers wins.
 */
export function writeIfUnchanged(key: string, value: string): bool {
  return write(key, value, load<u32>(version)) != CAS_MISMATCH;
}

/** Adds one to the number behind a key, 0 where there is none, and gives the sum. Nobody else gets the same. */
export function countUp(key: string): u32 {
  let sum: u32 = 0;
  do {
    const text = readShared(key);
    sum = (text === null ? 0 : U32.parseInt(text)) + 1;
  } while (!writeIfUnchanged(key, sum.toString()));
  return sum;
}

function write(key: string, value: string, cas: u32): i32 {
  const name = encode(key);
  const text = encode(value);
  return proxy_set_shared_data(addressOf(name), name.byteLength, addressOf(text), text.byteLength, cas);
}
