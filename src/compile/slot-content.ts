import type { NodeCapabilities } from '../model/node.ts';
import { type JsonObject, sha256Hex } from '../model/plugin-spec.ts';
import type { Revision } from '../model/revision.ts';
import {
  CAPABILITY_LENGTH,
  fillTemplate,
  type PluginContent,
  type SlotContent,
  type SlotTemplate,
  TAG_LENGTH,
} from '../model/snapshot.ts';
import { EXTENSION_CONFIG_TYPE } from '../model/type-url.ts';
import { FILTER_CHAIN_TYPE, RBAC_TYPE, type SlotLayout } from './filter-types.ts';
import type { ProtoRegistry } from './proto-registry.ts';
import { toWasmFilter } from './wasm-filter.ts';

/** What is to stand in a slot. */
export interface SlotRequest {
  /** The ECDS name; it is part of the bytes. */
  readonly name: string;
  /** In chain order; none: a pass-through. */
  readonly plugins: readonly Revision[];
  /** single: the plugin's own filter stands in the slot, and there is one at most. */
  readonly layout: SlotLayout;
  readonly capabilities: NodeCapabilities;
}

/**
 * Encodes a slot in both variants: the warming one where it is asked for, which is when an Envoy starts. Pure: equal
 * requests give equal bytes.
 */
export function buildSlotContent(registry: ProtoRegistry, request: SlotRequest): SlotContent {
  if (request.layout === 'single' && request.plugins.length > 1)
    throw new RangeError(`${request.name}: one place holds one plugin before Envoy 1.39`);
  const marks = toMarks(request);
  const verdict = encodeTemplate(registry, request, marks, true);
  const plugins = request.plugins.map(revision => toPluginContent(registry, request, revision));
  let warming = request.plugins.length === 0 ? verdict : undefined;
  return {
    contentHash: hashContent(verdict, plugins),
    plugins,
    get warming() {
      warming ??= encodeTemplate(registry, request, marks, false);
      return warming;
    },
    verdict,
  };
}

/** A user's own extension config: no plugins of ours, so one form and no holes. */
export function toForeignContent(any: Uint8Array): SlotContent {
  const template: SlotTemplate = { bytes: any, holes: [] };
  return { contentHash: hashContent(template, []), plugins: [], warming: template, verdict: template };
}

/** Revision numbers count too: a node must be seen to accept revision 8 even where its bytes equal 7's. */
function hashContent(template: SlotTemplate, plugins: readonly PluginContent[]): string {
  const revisions = plugins.map(plugin => `${plugin.plugin}@${plugin.revision}`).join('\n');
  return sha256Hex(`${revisions}\n${sha256Hex(template.bytes)}`);
}

function toPluginContent(registry: ProtoRegistry, request: SlotRequest, revision: Revision): PluginContent {
  const filter = toWasmFilter(revision, request.capabilities, blankPush(true));
  return {
    plugin: revision.plugin,
    revision: revision.number,
    partHash: sha256Hex(registry.encodeOwn(filter)),
    moduleSha256: revision.module.sha256,
    moduleSizeBytes: revision.module.sizeBytes,
  };
}

function encodeTemplate(
  registry: ProtoRegistry,
  request: SlotRequest,
  marks: readonly Mark[],
  nackOnCodeCacheMiss: boolean,
): SlotTemplate {
  const filters = request.plugins.map((revision, i) =>
    toWasmFilter(revision, request.capabilities, { nackOnCodeCacheMiss, ...(marks[i] ?? blankMark()) }),
  );
  const bytes = registry.encodeOwn({
    '@type': EXTENSION_CONFIG_TYPE,
    name: request.name,
    typed_config: toSlotFilter(request, filters),
  });
  const template = { bytes, holes: findHoles(bytes, marks) };
  const blank = blankMark();
  const blanked = fillTemplate(
    template,
    marks.map(() => blank.capability),
    marks.map(() => blank.tag),
  );
  return { bytes: blanked, holes: template.holes };
}

function toSlotFilter(request: SlotRequest, filters: readonly JsonObject[]): JsonObject {
  const [first] = filters;
  if (first === undefined) return { '@type': RBAC_TYPE };
  if (request.layout === 'single') return first;
  const links = filters.map((filter, i) => ({
    name: request.plugins[i]?.plugin ?? '',
    typed_config: filter,
  }));
  return { '@type': FILTER_CHAIN_TYPE, default_filter_chain: { filters: links } };
}

interface Mark {
  readonly capability: string;
  readonly tag: string;
}

/**
 * What stands in the holes while they are looked for: hashes over the whole content of the place, which no part of
 * that content can therefore contain.
 */
function toMarks({ name, plugins }: SlotRequest): readonly Mark[] {
  const content = sha256Hex(`${name}\n${JSON.stringify(plugins)}`);
  return plugins.map(({ plugin }) => {
    const capability = sha256Hex(`${content}\n${plugin}`);
    return { capability, tag: sha256Hex(capability).slice(0, TAG_LENGTH) };
  });
}

function blankMark(): Mark {
  return { capability: '0'.repeat(CAPABILITY_LENGTH), tag: '0'.repeat(TAG_LENGTH) };
}

function blankPush(nackOnCodeCacheMiss: boolean) {
  return { nackOnCodeCacheMiss, ...blankMark() };
}

/** The plugins stand in the bytes in their order: each is looked for behind the one before. */
function findHoles(bytes: Uint8Array, marks: readonly Mark[]): SlotTemplate['holes'] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  let from = 0;
  return marks.map(mark => {
    const capability = buffer.indexOf(mark.capability, from, 'latin1');
    const tag = buffer.indexOf(mark.tag, from, 'latin1');
    if (capability < 0 || tag < 0) throw new RangeError('a hole was lost in encoding');
    from = Math.max(capability, tag);
    return { capability, tag };
  });
}
