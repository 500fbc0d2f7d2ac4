import { fileURLToPath } from 'node:url';
import { startChildSide } from './child-side.ts';
import { NODE_FLAGS, type Side } from './side.ts';

const RESOURCE = 'bench';
const PROGRAM = fileURLToPath(new URL('serve-bare-grpc.ts', import.meta.url));

/** What grpc-js takes without anything behind it, in Node as bin/attache starts it. */
export function startBareGrpc(): Promise<Side> {
  return startChildSide('bare-grpc-js', RESOURCE, (xds, control) => [
    ...[process.execPath, ...NODE_FLAGS, PROGRAM, String(xds), String(control), RESOURCE],
  ]);
}
