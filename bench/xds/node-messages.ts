/** What the driver in Node says and hears: gRPC frames, and of the messages the few fields that count. */
import protobuf from 'protobufjs/minimal.js';
import { EXTENSION_CONFIG_TYPE } from '../../src/model/type-url.ts';
import { HEADER_BYTES } from '../../src/xds/grpc-frame.ts';
import { decodeResponse, encodeRequest } from '../../test/xds/model/envoy-model.ts';
import { decodeSotwResponse, encodeSotwRequest } from '../../test/xds/model/sotw-wire.ts';
import type { Scenario } from './side.ts';

/** The first whole message of what came, and where it ends; undefined: there is none yet. */
export function unframe(bytes: Buffer): { readonly body: Uint8Array; readonly end: number } | undefined {
  if (bytes.length < HEADER_BYTES) return undefined;
  const end = HEADER_BYTES + bytes.readUInt32BE(1);
  return bytes.length < end ? undefined : { body: bytes.subarray(HEADER_BYTES, end), end };
}

export function readAnswer(
  form: Scenario['form'],
  message: Uint8Array,
): { readonly nonce: string; readonly version: string } {
  if (form === 'sotw') {
    const { nonce, versionInfo } = decodeSotwResponse(message);
    return { nonce, version: versionInfo };
  }
  const { nonce, resources } = decodeResponse(message);
  return { nonce, version: resources[0]?.version ?? '' };
}

/** `nonce` empty: the first request. `version`: what was accepted last. `problem`: refuses. */
export function encodeFleetRequest(
  { form, repeatedExtensions }: Pick<Scenario, 'form' | 'repeatedExtensions'>,
  of: {
    readonly resource: string;
    readonly node: string;
    readonly nonce: string;
    readonly version: string;
    readonly problem: string | undefined;
  },
): Uint8Array {
  const names = [of.resource];
  const node = encodeNode(of.node, repeatedExtensions);
  const request = {
    typeUrl: EXTENSION_CONFIG_TYPE,
    responseNonce: of.nonce,
    ...(of.problem === undefined ? {} : { errorDetail: of.problem }),
  };
  if (form === 'sotw') return encodeSotwRequest({ ...request, names, versionInfo: of.version }, node);
  return encodeRequest(of.nonce === '' ? { ...request, subscribe: names } : request, node);
}

/** An Envoy 1.40 that runs Wasm in chains, as the node of xds-load. config.core.v3.Node. */
function encodeNode(id: string, madeUp: number): Uint8Array {
  const writer = protobuf.Writer.create();
  writer.uint32(10).string(id).uint32(18).string('load').uint32(50).string('envoy');
  // user_agent_build_version { version { major_number: 1, minor_number: 40 } }
  writer.uint32(66).fork().uint32(10).fork().uint32(8).uint32(1).uint32(16).uint32(40).ldelim().ldelim();
  const known = ['envoy.filters.http.wasm', 'envoy.filters.http.filter_chain', 'envoy.wasm.runtime.v8'];
  const others = Array.from({ length: madeUp }, (_, i) => `sample.${'extension.'.repeat(9)}${i}`);
  for (const name of [...known, ...others])
    writer.uint32(74).fork().uint32(10).string(name).uint32(18).string('sample.http').ldelim();
  return writer.finish();
}
