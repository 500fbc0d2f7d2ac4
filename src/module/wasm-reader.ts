import { ModuleError } from './module-error.ts';

/** A bounded cursor over Wasm bytes. Reading past the end throws `broken-wasm`. */
export class WasmReader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #at: number;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  get position(): number {
    return this.#at;
  }

  get done(): boolean {
    return this.#at >= this.#end;
  }

  byte(): number {
    const value = this.#at < this.#end ? this.#bytes[this.#at] : undefined;
    if (value === undefined) throw this.#broken('ends early');
    this.#at++;
    return value;
  }

  /** Unsigned LEB128 of at most `bits` bits. https://webassembly.github.io/spec/core/binary/values.html#integers */
  unsigned(bits = 32): number {
    let value = 0;
    for (let shift = 0; shift < bits; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) {
        if (value >= 2 ** bits) break;
        return value;
      }
    }
    throw this.#broken(`holds a number of more than ${bits} bits`);
  }

  /** A part of its own; the cursor moves behind it. */
  part(length: number): WasmReader {
    const start = this.#at;
    if (length > this.#end - start) throw this.#broken(`ends early: ${length} bytes were announced`);
    this.#at = start + length;
    return new WasmReader(this.#bytes, start, this.#at);
  }

  name(): string {
    const length = this.unsigned();
    const { position } = this.part(length);
    return new TextDecoder().decode(this.#bytes.subarray(position, position + length));
  }

  #broken(why: string): ModuleError {
    return new ModuleError('broken-wasm', `the Wasm module ${why} (at byte ${this.#at})`, {
      hint: 'Build the module again: the file is damaged or cut off.',
    });
  }
}
