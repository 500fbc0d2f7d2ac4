import { GuestMemory } from './guest-memory.ts';
import { isAllowed, type Moment } from './moments.ts';
import { Result, type TrialOrder } from './trial-protocol.ts';
import type { WasmMemory } from './web-assembly.ts';
import type { Witness } from './witness.ts';

/** Ends a run from inside a host function: a real Envoy would have crashed there. */
export class EnvoyCrash extends Error {}

/** Ends a call of the plugin from inside a host function, as Envoy does: the plugin traps. */
export class RestrictedCall extends Error {}

/**
 * A plugin that is being run: its memory, where in its life it is, and what killed it. Host functions see the plugin
 * through this alone.
 */
export class Guest {
  readonly order: TrialOrder;
  readonly witness: Witness;
  moment: Moment = 'link';
  /** Whether the plugin's configuration can be read now. */
  hasConfiguration = false;
  /** What ended the VM for good, though the plugin may go on for a while: the first trap. */
  dead: string | undefined;
  readonly #began = process.hrtime.bigint();
  #memory: GuestMemory | undefined;
  #allocate: ((size: number) => unknown) | undefined;

  constructor(order: TrialOrder, witness: Witness) {
    this.order = order;
    this.witness = witness;
  }

  /** The module is instantiated; a module without memory has none. */
  attach(memory: WasmMemory | undefined, allocate: ((size: number) => unknown) | undefined): void {
    this.#memory = memory && new GuestMemory(memory);
    this.#allocate = allocate;
  }

  /** What every host function does first. Throws RestrictedCall or EnvoyCrash. */
  enter(name: string): void {
    if (isAllowed(name, this.moment, this.order.envoyMinor)) return;
    this.touch(name);
    const when = this.moment === 'start' ? 'before its first context exists' : 'while it allocates memory';
    throw new RestrictedCall(`${name} is not allowed to a plugin ${when}`);
  }

  /** Says that Envoy looks at the context now, which there is none of while a module is instantiated. */
  touch(what: string): void {
    if (this.moment !== 'link') return;
    this.#crash(`its start function calls ${what}: Envoy crashes at that`);
  }

  get memory(): GuestMemory {
    this.touch('a function that needs its memory');
    return (
      this.#memory ??
      this.#crash('it has no memory and calls a function that needs one: Envoy crashes at that')
    );
  }

  /** In pages; 0 without memory. */
  get memoryPages(): number {
    return this.#memory?.pages ?? 0;
  }

  text(address: number, size: number): string | undefined {
    return this.memory.read(address, size)?.toString();
  }

  /** Wall-clock time in ns. */
  now(): bigint {
    return BigInt(this.order.now) * 1_000_000n + (process.hrtime.bigint() - this.#began);
  }

  /** Memory of the plugin for `size` bytes, from its own allocator; undefined when it gives none. */
  allocate(size: number): number | undefined {
    const allocate = this.#allocate;
    if (allocate === undefined) return undefined;
    this.moment = 'malloc';
    try {
      const address = Number(allocate(size)) >>> 0;
      return address !== 0 && this.memory.holds(address, size) ? address : undefined;
    } catch (error) {
      if (error instanceof EnvoyCrash) throw error;
      // Envoy goes on with the call that needed the memory, in a VM that is dead.
      this.kill('malloc', error);
      return undefined;
    } finally {
      // As Envoy does: whatever was restricted before is not any more.
      this.moment = 'run';
    }
  }

  /** Gives bytes to the plugin: allocates, copies, and writes address and size where it wants them. */
  answer(bytes: Uint8Array, addressAt: number, sizeAt: number): number {
    let address = 0;
    if (bytes.length > 0) {
      const place = this.allocate(bytes.length);
      if (place === undefined || !this.memory.write(place, bytes)) return Result.invalidMemoryAccess;
      address = place;
    }
    const isTold = this.memory.writeWord(addressAt, address) && this.memory.writeWord(sizeAt, bytes.length);
    return isTold ? Result.ok : Result.invalidMemoryAccess;
  }

  /** Notes that a call of the plugin ended in a trap. */
  kill(name: string, error: unknown): void {
    this.dead ??= `${name}: ${describe(error)}`;
  }

  #crash(why: string): never {
    this.dead = why;
    throw new EnvoyCrash(why);
  }
}

/** The message, and the functions it came through where the module tells their names. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const frames = (error.stack ?? '')
    .split('\n')
    .map(line => /^\s*at (\S.*?) \(wasm:\/\//.exec(line)?.[1])
    .filter(name => name !== undefined && !/^wasm-function\[/.test(name))
    .slice(0, 3);
  return frames.length === 0 ? error.message : `${error.message}, in ${frames.join(', called by ')}`;
}
