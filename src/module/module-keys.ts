import type { RandomHex } from '../model/ports.ts';
import type { Store } from '../store/store.ts';
import { ConflictError } from '../store/store-error.ts';

/** The HMAC keys of module URLs: new ones are made with `current`, both are accepted. 32 bytes each. */
export interface ModuleKeys {
  readonly current: Uint8Array;
  /** `current` first. */
  readonly accepted: readonly Uint8Array[];
}

/**
 * The durable keys, made at the first start: a module URL that an Envoy holds works after our restart and on
 * every replica. Throws StoreError.
 */
export async function loadModuleKeys(store: Store, random: RandomHex): Promise<ModuleKeys> {
  const current = (await readKey(store, 'current')) ?? (await createKey(store, random));
  const previous = await readKey(store, 'previous');
  return { current, accepted: previous === undefined ? [current] : [current, previous] };
}

async function createKey(store: Store, random: RandomHex): Promise<Uint8Array> {
  const hex = random(32);
  try {
    await store.put('ModuleKey', 'current', { hex }, 'absent');
  } catch (error) {
    // Another replica was first: its key counts.
    if (error instanceof ConflictError) return (await readKey(store, 'current')) ?? Buffer.from(hex, 'hex');
    throw error;
  }
  return Buffer.from(hex, 'hex');
}

async function readKey(store: Store, name: 'current' | 'previous'): Promise<Uint8Array | undefined> {
  const stored = await store.get('ModuleKey', name);
  return stored && Buffer.from(stored.value.hex, 'hex');
}
