import { EnvoyCrash, Guest } from './guest.ts';
import { type Imported, linkHost } from './link-host.ts';
import type { TrialEnd, TrialEvent, TrialOrder } from './trial-protocol.ts';
import { type WasmExtern, type WasmMemory, type WasmModule, WebAssembly } from './web-assembly.ts';
import { Witness } from './witness.ts';

const ROOT_CONTEXT = 1;

/** How it went up to there. */
export interface Ending {
  readonly outcome: TrialEnd;
  readonly reason: string;
}

/** A function of the module. */
export type Entry = (...args: number[]) => unknown;

/** A module as it was read, or as it was compiled by a run before: that holds its code alone, nothing of a run. */
export type GuestCode = Uint8Array | WasmModule;

/** What a started plugin exports; empty where it did not come so far. */
export interface StartedGuest {
  readonly ending: Ending;
  readonly entries: ReadonlyMap<string, Entry>;
  /** Undefined where its code is not valid. */
  readonly module: WasmModule | undefined;
}

/**
 * Runs a plugin as Envoy does before it accepts a configuration: start function, _initialize and main, or _start,
 * then the root context, proxy_on_vm_start and proxy_on_configure. Tells what happens as it happens, up to `end`; a
 * plugin that Envoy would take is then asked to go, and the last event is `left`. Answers the module where all went
 * well. Blocks for as long as the plugin runs: only for a process that can be killed.
 */
export function runGuest(
  code: GuestCode,
  order: TrialOrder,
  tell: (event: TrialEvent) => void,
): WasmModule | undefined {
  const guest = new Guest(order, new Witness(tell));
  const began = process.hrtime.bigint();
  tell({ kind: 'ready' });
  const { ending, entries, module } = startGuest(guest, code, linkHost(guest));
  const tookMs = Number((process.hrtime.bigint() - began) / 1_000_000n);
  tell({ kind: 'end', ...ending, tookMs, memoryPages: guest.memoryPages });
  if (ending.outcome !== 'ok') return undefined;
  const reason = leave(guest, entries);
  tell({ kind: 'left', reason });
  return reason === '' ? module : undefined;
}

/** Instantiates a module with these host functions, starts and configures it. Throws nothing. */
export function startGuest(guest: Guest, code: GuestCode, host: ReadonlyMap<string, Imported>): StartedGuest {
  let entries: ReadonlyMap<string, Entry> = new Map();
  let module: WasmModule | undefined;
  try {
    module = code instanceof Uint8Array ? new WebAssembly.Module(code) : code;
    entries = instantiate(guest, module, host);
    return { ending: start(guest, entries) ?? configure(guest, entries), entries, module };
  } catch (error) {
    return { ending: toEnding(guest, error), entries, module };
  }
}

function toEnding(guest: Guest, error: unknown): Ending {
  if (error instanceof EnvoyCrash) return { outcome: 'trapped', reason: error.message };
  const isInvalid = error instanceof WebAssembly.CompileError || error instanceof WebAssembly.LinkError;
  const reason = error instanceof Error ? error.message : String(error);
  if (isInvalid) return { outcome: 'broken', reason: reason.replace(/^WebAssembly\.\w+\(\): /, '') };
  // The engine could not make the memory that the module begins with.
  if (error instanceof RangeError && /memory/i.test(reason)) return { outcome: 'out-of-memory', reason };
  return { outcome: 'trapped', reason: guest.dead ?? `its start function: ${reason}` };
}

/** The functions that Envoy calls, by name. Envoy checks their types only where it calls them. */
function instantiate(
  guest: Guest,
  module: WasmModule,
  host: ReadonlyMap<string, Imported>,
): ReadonlyMap<string, Entry> {
  // No prototypes: a module may name its imports as it likes.
  const imports: Record<string, Record<string, unknown>> = Object.create(null);
  let memory: WasmMemory | undefined;
  guest.witness.call('its start function');
  for (const one of WebAssembly.Module.imports(module)) {
    const { module: from = '', name } = one;
    imports[from] ??= Object.create(null) as Record<string, unknown>;
    const provided = one.kind === 'function' ? host.get(`${from}.${name}`) : makeImport(one);
    if (one.kind === 'memory') memory = provided as WasmMemory;
    imports[from][name] = provided;
  }
  const { exports } = new WebAssembly.Instance(module, imports);
  const entries = new Map<string, Entry>();
  for (const { name, kind } of WebAssembly.Module.exports(module)) {
    // Whatever its name, and the last one where there are several.
    if (kind === 'memory') memory = exports[name] as WasmMemory;
    if (kind === 'function') entries.set(name, exports[name] as Entry);
  }
  guest.attach(memory, entries.get('malloc') ?? entries.get('proxy_on_memory_allocate'));
  return entries;
}

/** A memory or table as small as the module takes it, as Envoy does. */
function makeImport({ kind, type }: WasmExtern): unknown {
  const { minimum, ...more } = { ...type };
  const descriptor = { ...more, initial: minimum };
  if (kind === 'memory') return new WebAssembly.Memory(descriptor);
  return kind === 'table' ? new WebAssembly.Table(descriptor) : undefined;
}

function start(guest: Guest, entries: ReadonlyMap<string, Entry>): Ending | undefined {
  const has = (name: string) => entries.has(name);
  guest.moment = 'start';
  if (has('_initialize')) {
    call(guest, entries, '_initialize');
    if (has('main')) call(guest, entries, 'main', 0, 0);
    else if (has('__main_void') && guest.order.envoyMinor >= 39) call(guest, entries, '__main_void');
  } else call(guest, entries, '_start');
  guest.moment = 'run';
  return toTrapped(guest);
}

function configure(guest: Guest, entries: ReadonlyMap<string, Entry>): Ending {
  guest.hasConfiguration = true;
  call(guest, entries, 'proxy_on_context_create', ROOT_CONTEXT, 0);
  guest.hasConfiguration = false;
  // The VM has no configuration of its own: its size is 0.
  const started = call(guest, entries, 'proxy_on_vm_start', ROOT_CONTEXT, 0);
  if (guest.dead === undefined && started === 0) return refused('proxy_on_vm_start');
  guest.hasConfiguration = true;
  const size = Buffer.byteLength(guest.order.configuration);
  const configured = call(guest, entries, 'proxy_on_configure', ROOT_CONTEXT, size);
  return (
    toTrapped(guest) ?? (configured === 0 ? refused('proxy_on_configure') : { outcome: 'ok', reason: '' })
  );
}

/** What it returns; undefined: there is no such function, or it trapped, now or before. */
export function call(
  guest: Guest,
  entries: ReadonlyMap<string, Entry>,
  name: string,
  ...args: number[]
): unknown {
  const entry = entries.get(name);
  if (entry === undefined || guest.dead !== undefined) return undefined;
  guest.witness.call(name);
  try {
    return entry(...args);
  } catch (error) {
    if (error instanceof EnvoyCrash) throw error;
    guest.kill(name, error);
    return undefined;
  }
}

/** How it fails when its root context is to go; empty: it does not. One that is not done yet is deleted later. */
function leave(guest: Guest, entries: ReadonlyMap<string, Entry>): string {
  try {
    if (call(guest, entries, 'proxy_on_done', ROOT_CONTEXT) !== 0)
      call(guest, entries, 'proxy_on_delete', ROOT_CONTEXT);
    return guest.dead ?? '';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function refused(name: string): Ending {
  return { outcome: 'refused', reason: `${name} says no` };
}

/** A trap ends the VM, also where Envoy goes on and only then finds every request failing. */
function toTrapped({ dead }: Guest): Ending | undefined {
  return dead === undefined ? undefined : { outcome: 'trapped', reason: dead };
}
