import { ModuleError } from './module-error.ts';

/**
 * As many entries as a module that Envoy takes can need: in less than 32 MiB, at 200 bytes of code each, it has 168,000
 * functions, and thousands of all else. Some kilobytes unpack to a module that lists millions, and each is an object here.
 */
const MAX_ENTRIES = 250_000;

/** How much may still be taken out of a module; one that asks for more is `broken-wasm`. */
export class WasmBudget {
  #left = MAX_ENTRIES;

  take(count: number): void {
    this.#left -= count;
    if (this.#left >= 0) return;
    throw new ModuleError('broken-wasm', `the Wasm module has more than ${MAX_ENTRIES} entries`, {
      hint: 'Build the module again, with fewer sections, types, functions, imports and exports.',
    });
  }
}

/** A bounded cursor over Wasm bytes. Reading past the end, or more than the budget, throws `broken-wasm`. */
export class WasmReader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  readonly #budget: WasmBudget;
  #at: number;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length, budget = new WasmBudget()) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
    this.#budget = budget;
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

  /** How many entries follow. */
  count(): number {
    const count = this.unsigned();
    this.#budget.take(count);
    return count;
  }

  /** A part of its own, which is an entry too; the cursor moves behind it. */
  part(length: number): WasmReader {
    this.#budget.take(1);
    const start = this.#at;
    if (length > this.#end - start) throw this.#broken(`ends early: ${length} bytes were announced`);
    this.#at = start + length;
    return new WasmReader(this.#bytes, start, this.#at, this.#budget);
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
