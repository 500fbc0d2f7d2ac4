import protobuf from 'protobufjs/minimal.js';
import { sha256Hex } from '../../src/model/plugin-spec.ts';
import { EXTENSION_CONFIG_TYPE, LISTENER_TYPE } from '../../src/model/type-url.ts';
import { encodeDeltaResponse } from '../../src/xds/delta/messages.ts';
import type { DeltaMessage } from '../xds/model/envoy-model.ts';
import { decodeResponse } from '../xds/model/envoy-model.ts';
import type { ResourceReader } from '../xds/model/sotw-mouth.ts';

/*
 * Real bytes on one side, the modelled Envoy's plain texts on the other. Field numbers are those of the protos named
 * beside them, under envoy/.
 */

/** What one plugin's part of a place says. */
export interface WirePart {
  readonly plugin: string;
  /** The `n` of its configuration: the world writes the revision's number there. 0: none. */
  readonly revision: number;
  /** sha256 of the module. */
  readonly module: string;
  readonly tag: string;
  readonly capability: string;
  /** All of its bytes but tag and capability. */
  readonly rest: string;
}

/** What stands in a place. */
export interface WirePlace {
  readonly form: 'warming' | 'verdict';
  readonly parts: readonly WirePart[];
}

/** One response, as far as the simulation looks into it. */
export interface WireResponse {
  readonly typeUrl: string;
  readonly nonce: string;
  readonly resources: readonly {
    readonly name: string;
    readonly version: string;
    readonly any: Uint8Array;
  }[];
  readonly removed: readonly string[];
}

export const readResponse: (bytes: Uint8Array) => WireResponse = decodeResponse;

/** In the state of the world a resource comes with nothing beside it. */
export const wireReader: ResourceReader = {
  // The name is the first field of all of them.
  nameOf: (_, any) => textOf(fields(contentOf(any), 1)[0]),
  versionOf: (typeUrl, any) => (typeUrl === EXTENSION_CONFIG_TYPE ? toPlaceVersion(any) : sha256Hex(any)),
};

/** Whatever its tags are, as Attaché's own versions of places. */
function toPlaceVersion(any: Uint8Array): string {
  const { form, parts } = readPlace(any);
  return `${sha256Hex(parts.map(({ rest }) => rest).join('\n'))}.${form}`;
}

/** What the module probe of the push protocol looks for (src/compile/probe.ts). */
export const PROBE_PLUGIN = 'attache/probe';
export const PROBE_MODULE = sha256Hex('attache/probe: no module has this content');

const CHAIN = /FilterChainConfig$/;
const WASM = /\.Wasm$/;

/** The extension config of a place: an Any of a TypedExtensionConfig (config/core/v3/extension.proto). */
export function readPlace(any: Uint8Array): WirePlace {
  const filter = anyOf(fields(contentOf(any), 2)[0]);
  // extensions/filters/http/filter_chain/v3: FilterChainConfig.default_filter_chain.filters
  const filters = CHAIN.test(filter.typeUrl)
    ? fields(fields(filter.value, 1)[0], 1).map(link => anyOf(fields(link, 2)[0]))
    : WASM.test(filter.typeUrl)
      ? [filter]
      : [];
  const parts = filters.map(({ value }) => readPart(value));
  const warming = parts.some(part => !part.nacksOnMiss);
  return { form: warming ? 'warming' : 'verdict', parts: parts.map(part => part.part) };
}

/** extensions/wasm/v3/wasm.proto: PluginConfig, VmConfig; config/core/v3/base.proto: RemoteDataSource. */
function readPart(wasm: Uint8Array): { part: WirePart; nacksOnMiss: boolean } {
  const plugin = fields(wasm, 1)[0];
  const vm = fields(plugin, 3)[0];
  const remote = fields(fields(vm, 3)[0], 2)[0];
  const uri = textOf(fields(fields(remote, 1)[0], 1)[0]);
  const [, capability = '', tag = ''] = /cap=([^&]*)&tag=(.*)$/.exec(uri) ?? [];
  const configuration = textOf(fields(anyOf(fields(plugin, 4)[0]).value, 1)[0]);
  const all = Buffer.from(wasm).toString('latin1');
  return {
    nacksOnMiss: varints(vm, 6)[0] === 1,
    part: {
      plugin: textOf(fields(plugin, 1)[0]),
      revision: Number(/"n":(\d+)/.exec(configuration)?.[1] ?? 0),
      module: textOf(fields(remote, 2)[0]),
      tag,
      capability,
      rest: all.replace(`cap=${capability}&tag=${tag}`, ''),
    },
  };
}

const knownListeners = new Map<string, readonly string[]>();

/** The places in a listener, in order; config/listener/v3, http_connection_manager.proto: HttpFilter. */
export function readListener(any: Uint8Array): readonly string[] {
  const bytes = Buffer.from(any).toString('latin1');
  const known = knownListeners.get(bytes);
  if (known !== undefined) return known;
  const chains = fields(contentOf(any), 3);
  const managers = chains.flatMap(chain => fields(chain, 3)).map(filter => anyOf(fields(filter, 4)[0]));
  const filters = managers.flatMap(({ value }) => fields(value, 5));
  const places = filters
    .filter(filter => fields(filter, 5).length > 0)
    .map(filter => textOf(fields(filter, 1)[0]));
  knownListeners.set(bytes, places);
  return places;
}

/** The same response in the modelled Envoy's own texts; two different ones stay different. */
export function toModelResponse(response: WireResponse): Uint8Array {
  const { typeUrl, nonce, removed } = response;
  const resources = response.resources.map(({ name, version, any }) => ({
    name,
    version,
    any: toModelText(typeUrl, name, any),
  }));
  return encodeDeltaResponse({ typeUrl, nonce, resources, removed });
}

function toModelText(typeUrl: string, name: string, any: Uint8Array): Uint8Array {
  if (typeUrl === LISTENER_TYPE) return Buffer.from(JSON.stringify({ name, slots: readListener(any) }));
  if (typeUrl !== EXTENSION_CONFIG_TYPE) return any;
  const { form, parts } = readPlace(any);
  const lines = parts.map(
    ({ plugin, revision, module, capability, tag }) =>
      `${JSON.stringify({ plugin, revision, module })} ${capability} ${tag}`,
  );
  return Buffer.from([form, ...lines].join('\n'));
}

/** What an Envoy says of itself. */
export interface NodeFacts {
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly zone: string;
  /** `chain`: Envoy 1.40 with filter_chain; `single`: 1.36 without; `none`: no Wasm at all. */
  readonly layout: 'chain' | 'single' | 'none';
}

/** config/core/v3/base.proto: Node. */
export function encodeNode({ id, labels, zone, layout }: NodeFacts): Uint8Array {
  const writer = protobuf.Writer.create();
  writer.uint32(10).string(id).uint32(18).string('edge');
  const entries = Object.entries(labels).map(([key, text]) =>
    structEntry(key, value => value.uint32(26).string(text)),
  );
  const labelsValue = structEntry('LABELS', value => {
    value.uint32(42).fork();
    for (const entry of entries) value.uint32(10).bytes(entry);
    value.ldelim();
  });
  writer.uint32(26).fork().uint32(10).bytes(labelsValue).ldelim();
  writer.uint32(34).fork().uint32(18).string(zone).ldelim();
  const minor = layout === 'chain' ? 40 : 36;
  writer.uint32(66).fork().uint32(10).fork().uint32(8).uint32(1).uint32(16).uint32(minor).ldelim().ldelim();
  const wasm = layout === 'none' ? [] : ['envoy.filters.http.wasm', 'envoy.wasm.runtime.v8'];
  for (const name of layout === 'chain' ? [...wasm, 'envoy.filters.http.filter_chain'] : wasm)
    writer.uint32(74).fork().uint32(10).string(name).ldelim();
  return writer.finish();
}

function structEntry(key: string, write: (value: protobuf.Writer) => void): Uint8Array {
  const entry = protobuf.Writer.create().uint32(10).string(key).uint32(18).fork();
  write(entry);
  return entry.ldelim().finish();
}

/** service/discovery/v3/discovery.proto: DeltaDiscoveryRequest; the node goes with the first request only. */
export function encodeRequest(message: DeltaMessage, node: Uint8Array | undefined): Uint8Array {
  const writer = protobuf.Writer.create();
  if (node !== undefined) writer.uint32(10).bytes(node);
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

const NOTHING = new Uint8Array();

function anyOf(bytes: Uint8Array | undefined): { readonly typeUrl: string; readonly value: Uint8Array } {
  return { typeUrl: textOf(fields(bytes, 1)[0]), value: fields(bytes, 2)[0] ?? NOTHING };
}

function contentOf(any: Uint8Array): Uint8Array {
  return fields(any, 2)[0] ?? NOTHING;
}

function textOf(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? '' : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
}

/** The length-delimited values of a field; none in a message that is not there. */
function fields(message: Uint8Array | undefined, wanted: number): Uint8Array[] {
  const found: Uint8Array[] = [];
  const reader = protobuf.Reader.create(message ?? NOTHING);
  while (reader.pos < reader.len) {
    const key = reader.uint32();
    if (key >>> 3 === wanted && (key & 7) === 2) found.push(reader.bytes());
    else reader.skipType(key & 7);
  }
  return found;
}

function varints(message: Uint8Array | undefined, wanted: number): number[] {
  const found: number[] = [];
  const reader = protobuf.Reader.create(message ?? NOTHING);
  while (reader.pos < reader.len) {
    const key = reader.uint32();
    if (key >>> 3 === wanted && (key & 7) === 0) found.push(reader.uint32());
    else reader.skipType(key & 7);
  }
  return found;
}
