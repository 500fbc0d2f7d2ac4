import { once } from 'node:events';
import { endChild, spawnChild } from '../../test/harness/child-process.ts';
import { freePort } from '../../test/harness/free-port.ts';
import { SERVER_CORE, type Side } from './side.ts';

const RESOURCE = 'attache-wasm';

/** go-control-plane in its best form, with one thread. */
export async function startGcp(program: string): Promise<Side> {
  const [xds, control] = [await freePort(), await freePort()];
  const args = ['-variant', 'linear', '-addr', `127.0.0.1:${xds}`, '-trigger-addr', `127.0.0.1:${control}`];
  const running = spawnChild('taskset', ['-c', SERVER_CORE, program, ...args, '-names', RESOURCE], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, GOMAXPROCS: '1' },
  });
  // Its first line says that it listens.
  await once(running.child.stdout!, 'data');
  return {
    name: 'go-control-plane',
    address: `127.0.0.1:${xds}`,
    pid: running.child.pid!,
    resource: RESOURCE,
    trigger: `POST http://127.0.0.1:${control}/push`,
    stop: async () => {
      await endChild(running);
    },
  };
}
