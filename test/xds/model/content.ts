import { sha256Hex } from '../../../src/model/plugin-spec.ts';
import type { EncodedResource } from '../../../src/model/resource.ts';
import {
  CAPABILITY_LENGTH,
  type PluginContent,
  type SlotContent,
  type SlotTemplate,
  type Snapshot,
  TAG_LENGTH,
} from '../../../src/model/snapshot.ts';
import { CLUSTER_TYPE, EXTENSION_CONFIG_TYPE, LISTENER_TYPE } from '../../../src/model/type-url.ts';
import type { ResourceReader } from './sotw-mouth.ts';

/** A plugin at a revision, as the modelled world knows it. */
export interface Part {
  readonly plugin: string;
  readonly revision: number;
  readonly module: string;
}

export function part(plugin: string, revision: number, module = `${plugin}-${revision}`): Part {
  return { plugin: `default/${plugin}`, revision, module: sha256Hex(module) };
}

const CAPABILITY = 'c'.repeat(CAPABILITY_LENGTH);
const TAG = 't'.repeat(TAG_LENGTH);

/**
 * Slot content whose bytes are JSON lines, so that the modelled Envoy can read what it was sent. The slot's name is in it, as in
 * a TypedExtensionConfig: in the state of the world nothing else tells it.
 */
export function slotContent(parts: readonly Part[], slot = ''): SlotContent {
  const plugins: PluginContent[] = parts.map(({ plugin, revision, module }) => ({
    plugin,
    revision,
    partHash: sha256Hex(`${plugin}@${revision}:${module}`),
    moduleSha256: module,
    moduleSizeBytes: 100_000,
  }));
  const verdict = template(parts, `verdict ${slot}`);
  return {
    contentHash: sha256Hex(JSON.stringify(parts)).slice(0, 16),
    plugins,
    verdict,
    warming: parts.length === 0 ? verdict : template(parts, `warming ${slot}`),
  };
}

function template(parts: readonly Part[], head: string): SlotTemplate {
  const lines = parts.map(it => `${JSON.stringify(it)} ${CAPABILITY} ${TAG}`);
  const bytes = Buffer.from([head, ...lines].join('\n'));
  const holes = lines.map((_, i) => {
    const start = [head, ...lines.slice(0, i + 1)].join('\n').length;
    return { tag: start - TAG_LENGTH, capability: start - TAG_LENGTH - 1 - CAPABILITY_LENGTH };
  });
  return { bytes, holes };
}

/** What the modelled Envoy reads from a slot's bytes. */
export function readSlot(any: Uint8Array): {
  slot: string;
  variant: string;
  parts: readonly Part[];
  capability: string;
} {
  const [head = '', ...lines] = Buffer.from(any).toString().split('\n');
  const [variant = '', slot = ''] = head.split(' ');
  const rows = lines.map(line => line.split(' '));
  return {
    slot,
    variant: rows.length === 0 ? 'verdict' : variant,
    parts: rows.map(row => JSON.parse(row[0]!) as Part),
    capability: rows[0]?.[1] ?? '',
  };
}

export interface Wanted {
  /** Slot name to what is wanted and what is good. */
  readonly slots: ReadonlyMap<string, { readonly wanted: readonly Part[]; readonly good: readonly Part[] }>;
  /** Listener name to its version and slots. */
  readonly listeners: ReadonlyMap<string, { readonly version: string; readonly slots: readonly string[] }>;
  readonly fetchTimeoutMs?: number;
}

export function snapshotOf(wanted: Wanted): Snapshot {
  const memo = new Map<string, ReturnType<Snapshot['slot']>>();
  const listeners = new Map(
    [...wanted.listeners].map(([name, { version, slots }]): [string, EncodedResource] => [
      name,
      { typeUrl: LISTENER_TYPE, name, version, any: Buffer.from(JSON.stringify({ name, version, slots })) },
    ]),
  );
  const cluster = { typeUrl: CLUSTER_TYPE, name: 'attache_modules', version: '1', any: Buffer.from('{}') };
  return {
    version: '',
    format: 1,
    resources: new Map([
      [LISTENER_TYPE, listeners],
      [CLUSTER_TYPE, new Map([['attache_modules', cluster]])],
    ]),
    listenerSlots: new Map(
      [...wanted.listeners].map(([name, { slots }]) => [
        name,
        { slots, fetchTimeoutMs: wanted.fetchTimeoutMs ?? 0 },
      ]),
    ),
    serves: () => true,
    slot(name) {
      const known = memo.get(name);
      if (known !== undefined) return known;
      const slot = wanted.slots.get(name) ?? { wanted: [], good: [] };
      const made = {
        wanted: slotContent(slot.wanted, name),
        fallback: slotContent(slot.good, name),
        probe: () => slotContent([part('probe', 0)], name),
        recall: () => undefined,
      };
      memo.set(name, made);
      return made;
    },
  };
}

/** Reads the bytes that are made here. */
export const modelReader: ResourceReader = {
  nameOf: (typeUrl, any) =>
    typeUrl === EXTENSION_CONFIG_TYPE ? readSlot(any).slot : (readJson(any).name ?? 'attache_modules'),
  versionOf: (typeUrl, any) =>
    (typeUrl === LISTENER_TYPE ? readJson(any).version : undefined) ?? sha256Hex(any),
};

function readJson(any: Uint8Array): { readonly name?: string; readonly version?: string } {
  return JSON.parse(Buffer.from(any).toString());
}
