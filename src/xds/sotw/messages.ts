import protobuf from 'protobufjs/minimal.js';
import { readFields, readStatusMessage, tag } from '../protobuf-fields.ts';
import { withoutSecrets } from '../refusal-text.ts';

/*
 * The discovery messages of the state of the world, read and written by hand as those of ../delta.
 * Source: envoy/service/discovery/v3/discovery.proto.
 */

const { Writer } = protobuf;

/** What a DiscoveryRequest says; `node` is kept as bytes until somebody needs it. */
export interface SotwRequest {
  readonly form: 'sotw';
  readonly node: Uint8Array | undefined;
  readonly typeUrl: string;
  /** The version that the client accepted last; empty: none. */
  readonly versionInfo: string;
  /** All that it asks for. */
  readonly names: readonly string[];
  readonly responseNonce: string;
  /** Present exactly in a NACK: Envoy's text. */
  readonly errorDetail: string | undefined;
}

export interface SotwResponse {
  readonly typeUrl: string;
  readonly versionInfo: string;
  readonly nonce: string;
  /** Serialized google.protobuf.Any each. */
  readonly resources: readonly Uint8Array[];
}

/** Throws XdsError `malformed-message`. */
export function decodeSotwRequest(bytes: Uint8Array): SotwRequest {
  const request = {
    form: 'sotw' as const,
    node: undefined as Uint8Array | undefined,
    typeUrl: '',
    versionInfo: '',
    names: [] as string[],
    responseNonce: '',
    errorDetail: undefined as string | undefined,
  };
  readFields(bytes, (field, reader) => {
    switch (field) {
      case 1:
        request.versionInfo = reader.string();
        return true;
      case 2:
        request.node = reader.bytes();
        return true;
      case 3:
        request.names.push(reader.string());
        return true;
      case 4:
        request.typeUrl = reader.string();
        return true;
      case 5:
        request.responseNonce = reader.string();
        return true;
      case 6:
        request.errorDetail = readStatusMessage(reader.bytes());
        return true;
      default:
        return false;
    }
  });
  request.errorDetail = withoutSecrets(request.typeUrl, request.errorDetail);
  return request;
}

export function encodeSotwResponse(response: SotwResponse): Uint8Array {
  const writer = Writer.create().uint32(tag(1)).string(response.versionInfo);
  for (const any of response.resources) writer.uint32(tag(2)).bytes(any);
  writer.uint32(tag(4)).string(response.typeUrl);
  return writer.uint32(tag(5)).string(response.nonce).finish();
}
