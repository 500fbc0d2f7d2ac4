import protobuf from 'protobufjs';
import protojson from 'protobufjs/ext/protojson.js';
import type { NodeIdentity } from '../../model/node.ts';
import {
  type ConfigStatus,
  type NodeConfig,
  type ResourceConfig,
  versionOf,
} from '../../model/node-config.ts';
import type { JsonObject } from '../../model/plugin-spec.ts';
import type { ServiceProtos } from '../reflection/service-protos.ts';
import { XdsError } from '../xds-error.ts';
import { toMetadata } from './node-metadata.ts';

/*
 * The messages of CSDS. Resources are written around the bytes that were encoded once, as in the discovery codec.
 * Source: envoy/service/status/v3/csds.proto.
 */

export interface StatusRequest {
  /** envoy.type.matcher.v3.NodeMatcher, JSON with the proto's field names. */
  readonly matchers: readonly JsonObject[];
  readonly excludeContents: boolean;
}

const NUMBERS: Readonly<Record<ConfigStatus, number>> = {
  UNKNOWN: 0,
  SYNCED: 1,
  NOT_SENT: 2,
  STALE: 3,
  ERROR: 4,
};

/** Throws XdsError `malformed-message`. The node of who asks is not looked at. */
export function decodeStatusRequest({ root }: ServiceProtos, bytes: Uint8Array): StatusRequest {
  try {
    const request = root.lookupType('envoy.service.status.v3.ClientStatusRequest').decode(bytes);
    const { node_matchers: matchers = [], exclude_resource_contents: excludeContents } =
      request as unknown as {
        readonly node_matchers?: readonly protobuf.Message[];
        readonly exclude_resource_contents?: boolean;
      };
    const type = root.lookupType('envoy.type.matcher.v3.NodeMatcher');
    return {
      matchers: matchers.map(matcher => type.toObject(matcher, { oneofs: false }) as JsonObject),
      excludeContents: excludeContents === true,
    };
  } catch (cause) {
    throw new XdsError('malformed-message', 'not a ClientStatusRequest', { cause });
  }
}

/** A ClientStatusResponse. */
export function encodeStatusResponse(
  protos: ServiceProtos,
  configs: readonly NodeConfig[],
  { excludeContents }: Pick<StatusRequest, 'excludeContents'>,
): Buffer {
  const writer = protobuf.Writer.create();
  for (const { node, resources } of configs) {
    writer.uint32(tag(1)).fork();
    writer.uint32(tag(1)).bytes(encodeNode(protos, node));
    for (const resource of resources) {
      writer.uint32(tag(3)).fork();
      writeResource(writer, excludeContents ? { ...resource, config: null } : resource);
      writer.ldelim();
    }
    writer.ldelim();
  }
  return Buffer.from(writer.finish());
}

/** GenericXdsConfig. */
function writeResource(writer: protobuf.Writer, resource: ResourceConfig): void {
  const { typeUrl, name, status, config, at, refused } = resource;
  writer.uint32(tag(1)).string(typeUrl).uint32(tag(2)).string(name);
  writer.uint32(tag(3)).string(versionOf(resource));
  if (config !== null) writer.uint32(tag(4)).bytes(config);
  if (at !== null) writeTime(writer.uint32(tag(5)), at);
  writer.uint32(6 << 3).uint32(NUMBERS[status]);
  if (refused === null) return;
  // admin.v3.UpdateFailureState
  writer.uint32(tag(8)).fork();
  if (config !== null) writer.uint32(tag(1)).bytes(config);
  if (refused.at !== null) writeTime(writer.uint32(tag(2)), refused.at);
  writer.uint32(tag(3)).string(refused.message).uint32(tag(4)).string(refused.version).ldelim();
}

/** google.protobuf.Timestamp of ms. */
function writeTime(writer: protobuf.Writer, at: number): void {
  writer.fork();
  writer.uint32(1 << 3).int64(Math.floor(at / 1000));
  writer.uint32(2 << 3).int32((at % 1000) * 1_000_000);
  writer.ldelim();
}

function encodeNode({ root }: ServiceProtos, node: NodeIdentity): Uint8Array {
  const type = root.lookupType('envoy.config.core.v3.Node');
  const numbers = /^(\d+)\.(\d+)\.(\d+)/.exec(node.envoyVersion)?.slice(1).map(Number);
  const [major_number = 0, minor_number = 0, patch = 0] = numbers ?? [];
  const version = { version: { major_number, minor_number, patch } };
  const json: JsonObject = {
    id: node.id,
    cluster: node.cluster,
    metadata: toMetadata(node),
    ...(node.zone === '' ? {} : { locality: { zone: node.zone } }),
    ...(numbers === undefined ? {} : { user_agent_name: 'envoy', user_agent_build_version: version }),
  };
  return type.encode(protojson.fromJson(type, json)).finish();
}

/** Of a field that is length-delimited. */
function tag(field: number): number {
  return (field << 3) | 2;
}
