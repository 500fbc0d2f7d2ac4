import type { WasmMemory } from './web-assembly.ts';

/**
 * The linear memory of a plugin as its host sees it. Addresses and sizes come from the plugin and may be anything
 * from 0 to 2^32 - 1; nothing outside of the memory is read or written, and whoever asks for it is told.
 */
export class GuestMemory {
  readonly #memory: WasmMemory;

  constructor(memory: WasmMemory) {
    this.#memory = memory;
  }

  /** In pages of 64 KiB. */
  get pages(): number {
    return this.#memory.buffer.byteLength / 65_536;
  }

  /** A copy; undefined: not all of it lies in the memory. */
  read(address: number, size: number): Buffer | undefined {
    if (!this.holds(address, size)) return undefined;
    return Buffer.from(new Uint8Array(this.#memory.buffer, address, size));
  }

  /** Whether there was room; nothing is written if not. */
  write(address: number, bytes: Uint8Array): boolean {
    if (!this.holds(address, bytes.length)) return false;
    new Uint8Array(this.#memory.buffer, address, bytes.length).set(bytes);
    return true;
  }

  readWord(address: number): number | undefined {
    return this.holds(address, 4) ? this.#view(address, 4).getUint32(0, true) : undefined;
  }

  writeWord(address: number, value: number): boolean {
    if (!this.holds(address, 4)) return false;
    this.#view(address, 4).setUint32(0, value >>> 0, true);
    return true;
  }

  writeLong(address: number, value: bigint): boolean {
    if (!this.holds(address, 8)) return false;
    this.#view(address, 8).setBigUint64(0, BigInt.asUintN(64, value), true);
    return true;
  }

  holds(address: number, size: number): boolean {
    return address + size <= this.#memory.buffer.byteLength;
  }

  #view(address: number, size: number): DataView {
    return new DataView(this.#memory.buffer, address, size);
  }
}
