/**
 * A copy in memory of its own. What node:buffer and protobufjs hand out lies in pieces of 64 KB that others share, and
 * the smallest part that is kept keeps the whole piece: without this the control plane held 59 MB for 900 resources and
 * nodes of some hundred bytes each.
 */
export function ownBytes(bytes: Uint8Array): Buffer {
  const own = Buffer.allocUnsafeSlow(bytes.length);
  own.set(bytes);
  return own;
}
