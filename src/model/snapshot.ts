import type { NodeIdentity } from './node.ts';
import type { PluginInSlot } from './node-verdict.ts';
import type { PluginName } from './plugin-spec.ts';
import type { EncodedResource } from './resource.ts';

/**
 * What a group of nodes is to have. Written by compile, never stored: recomputed from Assignment and Revision.
 * Equal groups share one object, equal slots share one SlotContent: compare by identity or by contentHash.
 */
export interface Snapshot {
  /** Hash over everything below. */
  readonly version: string;
  /** Every resource but extension configs, by type URL and Envoy name. */
  readonly resources: ReadonlyMap<string, ReadonlyMap<string, EncodedResource>>;
  /** Listeners that hold slots: listener name to slot names, and their fetch timeout. */
  readonly listenerSlots: ReadonlyMap<string, ListenerSlots>;
  /** What stands in a slot, for any name an Envoy may ask for. Pure and memoized. */
  slot(name: string): WantedSlot;
  /**
   * Whether it was compiled for a node that says this of itself. The xds stage waits for one that was, so that an
   * Envoy that came back with another version or other labels never gets what its former self was to have.
   */
  serves(node: NodeIdentity): boolean;
  /** The module cluster etc.: nothing here depends on the process; that is patched in at the push. */
  readonly format: number;
}

export interface ListenerSlots {
  readonly slots: readonly string[];
  /** `initial_fetch_timeout` of its slots in ms; 0: none. */
  readonly fetchTimeoutMs: number;
}

export interface WantedSlot {
  readonly wanted: SlotContent;
  /** The same slot with every plugin at its good revision: for a process whose accepted content is unknown. */
  readonly fallback: SlotContent;
  /**
   * Content that no process can load: its one module does not exist. Pushed in the verdict form it is NACKed and
   * makes a GET, if this node reaches the module port at all. Made when it is asked for.
   */
  probe(): SlotContent;
  /** The same slot with these revisions of these plugins; undefined where one of them is not kept any more. */
  recall(parts: readonly PluginInSlot[]): SlotContent | undefined;
  /** Set when the name is neither a phase place nor a plugin, or the slot cannot hold what it should. */
  readonly warning?: string;
}

/** Content of a slot: a filter, a chain of filters, or a pass-through (no plugins). */
export interface SlotContent {
  /** Hash without tags, capabilities and variant. */
  readonly contentHash: string;
  /** In chain order. */
  readonly plugins: readonly PluginContent[];
  /** The serialized google.protobuf.Any of the TypedExtensionConfig, per variant; equal for a pass-through. */
  readonly warming: SlotTemplate;
  readonly verdict: SlotTemplate;
}

export interface PluginContent {
  readonly plugin: PluginName;
  readonly revision: number;
  /** Changes whenever this plugin's own part of the bytes does (tags aside). */
  readonly partHash: string;
  /** Lower-case hex sha256 of its module. */
  readonly moduleSha256: string;
  readonly moduleSizeBytes: number;
}

/**
 * Bytes with fixed-width holes. `holes[i]` belongs to `plugins[i]`: at `capability` come CAPABILITY_LENGTH
 * ASCII characters, at `tag` come TAG_LENGTH.
 */
export interface SlotTemplate {
  readonly bytes: Uint8Array;
  readonly holes: readonly { readonly capability: number; readonly tag: number }[];
}

export const CAPABILITY_LENGTH = 64;
export const TAG_LENGTH = 16;

/** A copy of the template with the holes filled; arrays are in the order of `plugins`. */
export function fillTemplate(
  template: SlotTemplate,
  capabilities: readonly string[],
  tags: readonly string[],
): Uint8Array {
  const bytes = Buffer.from(template.bytes);
  fillHoles(bytes, 0, template.holes, capabilities, tags);
  return bytes;
}

/** The same in place, where a copy of the template begins at `start`. */
export function fillHoles(
  bytes: Buffer,
  start: number,
  holes: SlotTemplate['holes'],
  capabilities: readonly string[],
  tags: readonly string[],
): void {
  holes.forEach((hole, i) => {
    const capability = capabilities[i];
    const tag = tags[i];
    if (capability?.length !== CAPABILITY_LENGTH || tag?.length !== TAG_LENGTH)
      throw new RangeError(`hole ${i}: capability or tag has the wrong width`);
    bytes.write(capability, start + hole.capability, 'latin1');
    bytes.write(tag, start + hole.tag, 'latin1');
  });
}
