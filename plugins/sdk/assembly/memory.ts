// What crosses the border between a plugin and its host. Strings are UTF-16 inside and UTF-8 outside.

/** The host asks for room for what it answers; `takeText` gives it back. */
export function proxy_on_memory_allocate(size: usize): usize {
  return heap.alloc(size);
}

// Static slots into which the host writes the address and the size of an answer. One call at a time: no re-entry.
const answer = memory.data(8);

/** Where the host is to write the address of its answer. */
export function valueSlot(): usize {
  return answer;
}

/** Where the host is to write the size of its answer. */
export function sizeSlot(): usize {
  return answer + sizeof<usize>();
}

/** UTF-8 bytes of a text. Keep the buffer in a variable while the host reads it, so that it is not collected. */
export function encode(text: string): ArrayBuffer {
  return String.UTF8.encode(text);
}

/** Address of a buffer's first byte. */
export function addressOf(buffer: ArrayBuffer): usize {
  return changetype<usize>(buffer);
}

/** The host's answer as text, where its status is 0; null otherwise. Frees what the host allocated. */
export function takeText(status: i32): string | null {
  if (status != 0) return null;
  const address = load<usize>(valueSlot());
  const size = load<usize>(sizeSlot());
  if (size == 0 || address == 0) return "";
  const text = String.UTF8.decodeUnsafe(address, size);
  heap.free(address);
  return text;
}
