import assert from 'node:assert/strict';
import { HEADER_BYTES } from '../../../src/xds/grpc-frame.ts';

/** The message of a frame that holds one, not compressed. */
export function messageOf(frame: Buffer): Buffer {
  assert.equal(frame[0], 0);
  assert.equal(frame.readUInt32BE(1), frame.length - HEADER_BYTES);
  return frame.subarray(HEADER_BYTES);
}
