import { readFile } from 'node:fs/promises';
import protobuf from 'protobufjs';
import descriptor from 'protobufjs/ext/descriptor.js';
import { envoyBinary } from './envoy-binary.ts';

/**
 * A FileDescriptorSet of .proto files as protoc made them, taken out of an Envoy: each file stands in its binary as the
 * serialized FileDescriptorProto, whose last field says `proto3`. What they import is not in it.
 */
export async function takeProtoset(version: string, paths: readonly string[]): Promise<Uint8Array> {
  const binary = await readFile(await envoyBinary(version));
  const writer = protobuf.Writer.create();
  for (const path of paths) writer.uint32((1 << 3) | 2).bytes(findFile(binary, path));
  const set = writer.finish();
  descriptor.FileDescriptorSet.decode(set);
  return set;
}

function findFile(binary: Buffer, path: string): Buffer {
  const begin = binary.indexOf(
    Buffer.concat([Buffer.from([10, path.length]), Buffer.from(path), Buffer.from([18])]),
  );
  const last = Buffer.from([98, 6, ...Buffer.from('proto3')]);
  if (begin < 0) throw new Error(`this Envoy has no ${path}`);
  return binary.subarray(begin, binary.indexOf(last, begin) + last.length);
}
