/** The messages of the state of the world as a client writes and reads them. */
import protobuf from 'protobufjs/minimal.js';
import { readFields } from '../../../src/xds/protobuf-fields.ts';

export interface SotwMessage {
  readonly typeUrl: string;
  readonly versionInfo?: string;
  readonly names?: readonly string[];
  readonly responseNonce?: string;
  readonly errorDetail?: string;
}

export interface SotwAnswer {
  typeUrl: string;
  nonce: string;
  versionInfo: string;
  /** A google.protobuf.Any each. */
  resources: Uint8Array[];
}

/** `node`: its id, or the whole message; undefined: none. */
export function encodeSotwRequest(message: SotwMessage, node: string | Uint8Array | undefined): Uint8Array {
  const writer = protobuf.Writer.create();
  writer.uint32(10).string(message.versionInfo ?? '');
  if (typeof node === 'string') writer.uint32(18).fork().uint32(10).string(node).ldelim();
  else if (node !== undefined) writer.uint32(18).bytes(node);
  for (const name of message.names ?? []) writer.uint32(26).string(name);
  writer.uint32(34).string(message.typeUrl);
  writer.uint32(42).string(message.responseNonce ?? '');
  if (message.errorDetail !== undefined)
    writer.uint32(50).fork().uint32(8).int32(13).uint32(18).string(message.errorDetail).ldelim();
  return writer.finish();
}

export function decodeSotwResponse(bytes: Uint8Array): SotwAnswer {
  const response: SotwAnswer = { typeUrl: '', nonce: '', versionInfo: '', resources: [] };
  readFields(bytes, (field, reader) => {
    if (field === 1) response.versionInfo = reader.string();
    else if (field === 2) response.resources.push(reader.bytes());
    else if (field === 4) response.typeUrl = reader.string();
    else if (field === 5) response.nonce = reader.string();
    else return false;
    return true;
  });
  return response;
}
