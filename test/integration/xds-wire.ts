/** Requests and responses of both forms of the protocol under one vocabulary, as a client sees them. */
import { CLUSTER_TYPE, EXTENSION_CONFIG_TYPE, LISTENER_TYPE } from '../../src/model/type-url.ts';
import { readFields } from '../../src/xds/protobuf-fields.ts';
import type { ProtocolForm } from '../../src/xds/stream/channel.ts';
import { readSlot } from '../xds/model/content.ts';
import { decodeResponse } from '../xds/model/envoy-model.ts';
import { decodeSotwResponse } from '../xds/model/sotw-wire.ts';

export interface Resource {
  readonly name: string;
  readonly version: string;
  readonly any: Uint8Array;
}

export interface Response {
  readonly typeUrl: string;
  readonly nonce: string;
  /** Of all resources; only in the state of the world. */
  readonly versionInfo: string;
  /** In the state of the world name and version stand in the resource: `a@1`. */
  readonly resources: readonly Resource[];
  /** Only in the incremental form. */
  readonly removed: readonly string[];
  /** The message as it came. */
  readonly raw: Uint8Array;
}

export function readResponse(form: ProtocolForm, bytes: Uint8Array): Response {
  if (form === 'delta') return { ...decodeResponse(bytes), versionInfo: '', raw: bytes };
  const { typeUrl, nonce, versionInfo, resources } = decodeSotwResponse(bytes);
  const named = resources.map(any => {
    if (typeUrl === EXTENSION_CONFIG_TYPE) return { name: readSlot(any).slot, version: '', any };
    const [, name = '', version = ''] = /^([^@]+)@(\d+)/.exec(readAny(any).value) ?? [];
    return { name, version, any };
  });
  return { typeUrl, nonce, versionInfo, resources: named, removed: [], raw: bytes };
}

/** A google.protobuf.Any whose value is text; large resources are bare text. */
export function readAny(any: Uint8Array): { readonly typeUrl: string; readonly value: string } {
  const read = { typeUrl: '', value: '' };
  if (any[0] !== 0x0a) return { ...read, value: Buffer.from(any.subarray(0, 100)).toString() };
  readFields(any, (field, reader) => {
    if (field === 1) read.typeUrl = reader.string();
    else if (field === 2) read.value = reader.string();
    else return false;
    return true;
  });
  return read;
}

/** What a client holds of one type: by name the version, of a place what stands in it. */
export type Held = ReadonlyMap<string, string>;

/** What a client holds that applied the response. */
export function applyResponse(form: ProtocolForm, held: Held, response: Response): Held {
  const { typeUrl, resources, removed } = response;
  const isSet = form === 'sotw' && (typeUrl === CLUSTER_TYPE || typeUrl === LISTENER_TYPE);
  const next = new Map(isSet ? [] : held);
  for (const resource of resources) next.set(resource.name, versionOf(typeUrl, resource));
  for (const name of removed) next.delete(name);
  return next;
}

/** `verdict a@1 b@1`, `verdict pass-through`; of any other resource its version. */
export function versionOf(typeUrl: string, { version, any }: Resource): string {
  if (typeUrl !== EXTENSION_CONFIG_TYPE) return version;
  const { variant, parts } = readSlot(any);
  const chain = parts.map(it => `${it.plugin.replace('default/', '')}@${it.revision}`).join(' ');
  return `${variant} ${chain || 'pass-through'}`;
}
