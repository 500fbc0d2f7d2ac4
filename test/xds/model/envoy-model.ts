import protobuf from 'protobufjs/minimal.js';
import { CLUSTER_TYPE, EXTENSION_CONFIG_TYPE, LISTENER_TYPE } from '../../../src/model/type-url.ts';
import { readFields } from '../../../src/xds/protobuf-fields.ts';
import { type Part, readSlot } from './content.ts';
import type { FakeClock } from './fake-clock.ts';

/** What the modelled Envoy asks of the world around it. */
export interface EnvoyWorld {
  readonly clock: FakeClock;
  /** [0, 1) */
  random(): number;
  /** Delivered to the control plane, in order. */
  request(message: DeltaMessage): void;
  /** A GET; `done` is called with whether the body arrived whole. Without a network it is called with false. */
  fetch(module: string, capability: string, done: (ok: boolean) => void): void;
  /** Whether this Envoy refuses the part once its code runs. */
  refuses(part: Part): boolean;
  violated(rule: string, detail: string): void;
  /** A plugin that served no longer does; the world knows whether it was to go. */
  dropped(plugin: string): void;
}

export interface DeltaMessage {
  readonly typeUrl: string;
  readonly subscribe?: readonly string[];
  readonly unsubscribe?: readonly string[];
  readonly initialVersions?: ReadonlyMap<string, string>;
  readonly responseNonce?: string;
  readonly errorDetail?: string;
}

interface Slot {
  readonly owners: Set<string>;
  lastTried: string | undefined;
  lastTriedRefused: boolean;
  version: string | undefined;
  /** What runs in it; undefined: the closed default. */
  active: readonly Part[] | undefined;
  /** Its listener waits for it: nothing passes yet. */
  warming: boolean;
}

interface Listener {
  version: string;
  slots: readonly string[];
}

/**
 * Envoy as the Envoy facts describe it: code cache, warming and verdict forms, "last tried" bytes, the refusal of
 * listeners whose slot was refused, a cache that forgets, reconnects that bring accepted versions only.
 */
export class EnvoyModel {
  readonly #world: EnvoyWorld;
  readonly slots = new Map<string, Slot>();
  readonly listeners = new Map<string, Listener>();
  /** What it says that it has: a refused response does not count, although its good listeners are there. */
  readonly #told = new Map<string, string>();
  /** Code by module, with when it was used last. */
  readonly #cache = new Map<string, number>();
  #clusterVersion: string | undefined;
  #alive = true;

  constructor(world: EnvoyWorld) {
    this.#world = world;
  }

  /** Opens the stream: empty versions in a new process, the accepted ones on a reconnect. */
  connect(): void {
    const cds =
      this.#clusterVersion === undefined ? [] : [['attache_modules', this.#clusterVersion] as const];
    this.#world.request({ typeUrl: CLUSTER_TYPE, initialVersions: new Map(cds) });
    this.#world.request({ typeUrl: LISTENER_TYPE, initialVersions: new Map(this.#told) });
    if (this.slots.size === 0) return;
    const versions = [...this.slots].flatMap(([name, { version }]) =>
      version === undefined ? [] : [[name, version] as const],
    );
    this.#world.request({
      typeUrl: EXTENSION_CONFIG_TYPE,
      subscribe: [...this.slots.keys()],
      initialVersions: new Map(versions),
    });
  }

  kill(): void {
    this.#alive = false;
  }

  onResponse(bytes: Uint8Array): void {
    this.take(decodeResponse(bytes));
  }

  /** What a response of either form changes. */
  take(response: Response): void {
    if (response.typeUrl === LISTENER_TYPE) this.#onListeners(response);
    else if (response.typeUrl === EXTENSION_CONFIG_TYPE) this.#onSlot(response);
    else {
      this.#clusterVersion = response.resources[0]?.version ?? this.#clusterVersion;
      this.#answer(response);
    }
  }

  /** Drops code that was not used for 24 hours, as Envoy does at its next look-up. */
  sweep(): void {
    const now = this.#world.clock.now();
    for (const [module, usedAt] of this.#cache) if (now - usedAt >= 86_400_000) this.#cache.delete(module);
  }

  /** A look-up is a use. */
  #has(module: string): boolean {
    const has = this.#cache.has(module);
    if (has) this.#cache.set(module, this.#world.clock.now());
    return has;
  }

  #onListeners(response: Response): void {
    const errors: string[] = [];
    for (const name of response.removed) this.#dropListener(name, []);
    for (const { name, version, any } of response.resources) {
      const { slots } = JSON.parse(Buffer.from(any).toString()) as { slots: string[] };
      const error = this.#checkListener(slots);
      if (error === undefined) this.#setListener(name, version, slots);
      else errors.push(`Error adding/updating listener(s) ${name}: ${error}\n`);
    }
    if (errors.length === 0) {
      for (const name of response.removed) this.#told.delete(name);
      for (const { name, version } of response.resources) this.#told.set(name, version);
    }
    this.#answer(response, errors.length === 0 ? undefined : errors.join(''));
  }

  /** The filters are built from what the slots tried last; forgotten code is a miss of the whole listener. */
  #checkListener(slots: readonly string[]): string | undefined {
    for (const name of slots) {
      const slot = this.slots.get(name);
      if (slot === undefined) continue;
      if (slot.lastTriedRefused) {
        this.#world.violated('listener-held', `listener sent while ${name} was refused last`);
        return 'Unable to create Wasm plugin (last tried)';
      }
      for (const it of slot.warming ? [] : (slot.active ?? [])) {
        if (this.#has(it.module)) continue;
        this.#get(it.module, this.#capability);
        return `Unable to create Wasm plugin ${it.plugin}`;
      }
    }
    return undefined;
  }

  #capability = '';

  #setListener(name: string, version: string, slots: readonly string[]): void {
    const added = slots.filter(slot => !this.slots.has(slot));
    this.#dropListener(name, slots);
    this.listeners.set(name, { version, slots });
    for (const slot of slots) {
      const known = this.slots.get(slot) ?? {
        owners: new Set(),
        lastTried: undefined,
        lastTriedRefused: false,
        version: undefined,
        active: undefined,
        warming: true,
      };
      known.owners.add(name);
      this.slots.set(slot, known);
    }
    // The subscription goes out before the ACK of the listener.
    if (added.length > 0) this.#world.request({ typeUrl: EXTENSION_CONFIG_TYPE, subscribe: added });
  }

  #dropListener(name: string, keep: readonly string[]): void {
    const gone: string[] = [];
    for (const slot of this.listeners.get(name)?.slots ?? []) {
      if (keep.includes(slot)) continue;
      const known = this.slots.get(slot);
      known?.owners.delete(name);
      if (known?.owners.size !== 0) continue;
      this.slots.delete(slot);
      gone.push(slot);
    }
    this.listeners.delete(name);
    if (gone.length > 0) this.#world.request({ typeUrl: EXTENSION_CONFIG_TYPE, unsubscribe: gone });
  }

  #onSlot(response: Response): void {
    if (response.resources.length !== 1 || response.removed.length > 0)
      this.#world.violated(
        'one-resource',
        `${response.resources.length} and ${response.removed.length} removed`,
      );
    const [resource] = response.resources;
    const slot = resource && this.slots.get(resource.name);
    if (resource === undefined || slot === undefined) {
      this.#answer(response);
      return;
    }
    const bytes = Buffer.from(resource.any).toString('latin1');
    if (bytes === slot.lastTried && slot.lastTriedRefused) {
      this.#world.violated('equal-bytes', `${resource.name} got the bytes that it refused`);
      slot.version = resource.version;
      this.#answer(response);
      return;
    }
    slot.lastTried = bytes;
    const error = this.#load(slot, resource.any);
    slot.lastTriedRefused = error !== undefined;
    if (error === undefined) slot.version = resource.version;
    this.#answer(response, error);
  }

  #load(slot: Slot, any: Uint8Array): string | undefined {
    const { variant, parts, capability } = readSlot(any);
    this.#capability = capability;
    const missing = parts.filter(it => !this.#has(it.module));
    if (missing.length > 0 && variant === 'warming') return this.#loadWarming(slot, parts, missing);
    if (missing[0] !== undefined) {
      // One miss per attempt shows; each makes its GET.
      this.#get(missing[0].module, capability);
      this.#goLive(slot, slot.active);
      return `Unable to create Wasm plugin ${missing[0].plugin}`;
    }
    const refused = parts.find(it => this.#world.refuses(it));
    this.#goLive(slot, refused === undefined ? parts : slot.active);
    return refused && `Unable to create Wasm plugin ${refused.plugin}`;
  }

  #loadWarming(slot: Slot, parts: readonly Part[], missing: readonly Part[]): undefined {
    if (!slot.warming) {
      this.#world.violated('warming-in-live-slot', `requests pass without ${missing[0]?.plugin}`);
      return undefined;
    }
    let open = missing.length;
    for (const it of missing)
      this.#get(it.module, this.#capability, () => {
        open -= 1;
        if (open > 0 || !slot.warming) return;
        // Whatever fails to load in this form fails silently: the listener goes live and answers 503.
        const loads = parts.every(it => this.#has(it.module) && !this.#world.refuses(it));
        this.#goLive(slot, loads ? parts : undefined);
      });
    return undefined;
  }

  #goLive(slot: Slot, active: readonly Part[] | undefined): void {
    for (const { plugin } of slot.warming ? [] : (slot.active ?? []))
      if (active?.every(it => it.plugin !== plugin)) this.#world.dropped(plugin);
    slot.active = active;
    slot.warming = false;
  }

  #get(module: string, capability: string, done: () => void = () => {}): void {
    this.#world.fetch(module, capability, ok => {
      if (!this.#alive) return;
      if (ok) this.#cache.set(module, this.#world.clock.now());
      done();
    });
  }

  #answer(response: Response, errorDetail?: string): void {
    this.#world.request({
      typeUrl: response.typeUrl,
      responseNonce: response.nonce,
      ...(errorDetail === undefined ? {} : { errorDetail }),
    });
  }
}

export interface Response {
  typeUrl: string;
  nonce: string;
  resources: { name: string; version: string; any: Uint8Array }[];
  removed: string[];
}

export function decodeResponse(bytes: Uint8Array): Response {
  const response: Response = { typeUrl: '', nonce: '', resources: [], removed: [] };
  readFields(bytes, (field, reader) => {
    if (field === 4) response.typeUrl = reader.string();
    else if (field === 5) response.nonce = reader.string();
    else if (field === 6) response.removed.push(reader.string());
    else if (field === 2) {
      const resource: { name: string; version: string; any: Uint8Array } = {
        name: '',
        version: '',
        any: new Uint8Array(),
      };
      readFields(reader.bytes(), (part, inner) => {
        if (part === 1) resource.version = inner.string();
        else if (part === 2) resource.any = inner.bytes();
        else if (part === 3) resource.name = inner.string();
        else return false;
        return true;
      });
      response.resources.push(resource);
    } else return false;
    return true;
  });
  return response;
}

/** A DeltaDiscoveryRequest as bytes. `node`: an id, or the bytes of a whole Node. */
export function encodeRequest(message: DeltaMessage, node: string | Uint8Array): Uint8Array {
  const writer = protobuf.Writer.create();
  if (typeof node === 'string') writer.uint32(10).fork().uint32(10).string(node).ldelim();
  else writer.uint32(10).bytes(node);
  writer.uint32(18).string(message.typeUrl);
  for (const name of message.subscribe ?? []) writer.uint32(26).string(name);
  for (const name of message.unsubscribe ?? []) writer.uint32(34).string(name);
  for (const [name, version] of message.initialVersions ?? [])
    writer.uint32(42).fork().uint32(10).string(name).uint32(18).string(version).ldelim();
  if (message.responseNonce !== undefined) writer.uint32(50).string(message.responseNonce);
  if (message.errorDetail !== undefined)
    writer.uint32(58).fork().uint32(8).int32(13).uint32(18).string(message.errorDetail).ldelim();
  return writer.finish();
}
