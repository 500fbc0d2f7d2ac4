import protobuf from 'protobufjs/minimal.js';
import { readFields, readStatusMessage, tag } from '../protobuf-fields.ts';
import { withoutSecrets } from '../refusal-text.ts';

/*
 * The incremental discovery messages, read and written by hand: an ACK is decoded without its node message (49 to
 * 61 kB in a stock Envoy), and a response is composed around resource bytes that were encoded once.
 * Source: envoy/service/discovery/v3/discovery.proto.
 */

const { Writer } = protobuf;

/** What a DeltaDiscoveryRequest says; `node` is kept as bytes until somebody needs it. */
export interface DeltaRequest {
  readonly form: 'delta';
  readonly node: Uint8Array | undefined;
  readonly typeUrl: string;
  readonly subscribe: readonly string[];
  readonly unsubscribe: readonly string[];
  readonly initialVersions: ReadonlyMap<string, string>;
  readonly responseNonce: string;
  /** Present exactly in a NACK: Envoy's text. */
  readonly errorDetail: string | undefined;
}

export interface DeltaResponse {
  readonly typeUrl: string;
  readonly nonce: string;
  readonly resources: readonly DeltaResource[];
  readonly removed: readonly string[];
}

export interface DeltaResource {
  readonly name: string;
  readonly version: string;
  /** The serialized google.protobuf.Any. */
  readonly any: Uint8Array;
}

const NO_NAMES: readonly string[] = [];
const NO_VERSIONS: ReadonlyMap<string, string> = new Map();

/** Throws XdsError `malformed-message`. */
export function decodeDeltaRequest(bytes: Uint8Array): DeltaRequest {
  let node: Uint8Array | undefined;
  let typeUrl = '';
  // Most requests are answers, and have none of these three.
  let subscribe: string[] | undefined;
  let unsubscribe: string[] | undefined;
  let initialVersions: Map<string, string> | undefined;
  let responseNonce = '';
  let said: string | undefined;
  readFields(bytes, (field, reader) => {
    switch (field) {
      case 1:
        node = reader.bytes();
        return true;
      case 2:
        typeUrl = reader.string();
        return true;
      case 3:
        subscribe ??= [];
        subscribe.push(reader.string());
        return true;
      case 4:
        unsubscribe ??= [];
        unsubscribe.push(reader.string());
        return true;
      case 5:
        initialVersions ??= new Map();
        initialVersions.set(...readStringEntry(reader.bytes()));
        return true;
      case 6:
        responseNonce = reader.string();
        return true;
      case 7:
        said = readStatusMessage(reader.bytes());
        return true;
      default:
        return false;
    }
  });
  return {
    form: 'delta',
    node,
    typeUrl,
    subscribe: subscribe ?? NO_NAMES,
    unsubscribe: unsubscribe ?? NO_NAMES,
    initialVersions: initialVersions ?? NO_VERSIONS,
    responseNonce,
    errorDetail: withoutSecrets(typeUrl, said),
  };
}

export function encodeDeltaResponse(response: DeltaResponse): Uint8Array {
  const writer = Writer.create();
  for (const resource of response.resources) {
    writer.uint32(tag(2)).fork();
    writer.uint32(tag(1)).string(resource.version).uint32(tag(2)).bytes(resource.any);
    writer.uint32(tag(3)).string(resource.name).ldelim();
  }
  writer.uint32(tag(4)).string(response.typeUrl);
  for (const name of response.removed) writer.uint32(tag(6)).string(name);
  return writer.uint32(tag(5)).string(response.nonce).finish();
}

function readStringEntry(bytes: Uint8Array): [string, string] {
  let key = '';
  let value = '';
  readFields(bytes, (field, reader) => {
    if (field === 1) key = reader.string();
    else if (field === 2) value = reader.string();
    else return false;
    return true;
  });
  return [key, value];
}
