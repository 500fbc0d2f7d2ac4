import { startChildSide } from './child-side.ts';
import type { Side } from './side.ts';

const RESOURCE = 'attache-wasm';

/** go-control-plane in its best form, with one thread. */
export function startGcp(program: string): Promise<Side> {
  return startChildSide(
    'go-control-plane',
    RESOURCE,
    (xds, control) => [
      ...[program, '-variant', 'linear', '-addr', `127.0.0.1:${xds}`],
      ...['-trigger-addr', `127.0.0.1:${control}`, '-names', RESOURCE],
    ],
    { GOMAXPROCS: '1' },
  );
}
