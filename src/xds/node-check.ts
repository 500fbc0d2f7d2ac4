import { decodeNode } from './node-codec.ts';
import { readFields } from './protobuf-fields.ts';
import { XdsError } from './xds-error.ts';

/**
 * Whether a later request of a stream is from the same node: throws XdsError `node-changed` or `node-id-missing`. Envoys
 * before 1.38, and all in the state of the world, repeat the 60 kB that describe them in every request. Only the name is
 * read, which stands in front; what was kept to compare it all took 60 kB a stream.
 */
export function checkNode(node: Uint8Array | undefined, nodeId: string): void {
  if (node === undefined || readId(node) === nodeId) return;
  if (decodeNode(node).id !== nodeId)
    throw new XdsError('node-changed', `the stream of ${nodeId} now names another node`);
}

/** The first field, if that is the id. */
function readId(node: Uint8Array): string | undefined {
  let id: string | undefined;
  let isFirst = true;
  readFields(node, (field, reader) => {
    if (isFirst && field === 1) id = reader.string();
    isFirst = false;
    reader.pos = reader.len;
    return true;
  });
  return id;
}
