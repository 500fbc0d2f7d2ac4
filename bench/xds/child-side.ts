import { once } from 'node:events';
import { endChild, spawnChild } from '../../test/harness/child-process.ts';
import { freePort } from '../../test/harness/free-port.ts';
import { SERVER_CORE, type Side, type SideName } from './side.ts';

/** A server that is a process with an xDS port and one for `POST /push`, and says on stdout that it listens. */
export async function startChildSide(
  name: SideName,
  resource: string,
  toCommand: (xds: number, control: number) => readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Side> {
  const [xds, control] = [await freePort(), await freePort()];
  const running = spawnChild('taskset', ['-c', SERVER_CORE, ...toCommand(xds, control)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  });
  // Its first line says that it listens.
  await once(running.child.stdout!, 'data');
  return {
    name,
    address: `127.0.0.1:${xds}`,
    pid: running.child.pid!,
    resource,
    trigger: `POST http://127.0.0.1:${control}/push`,
    stop: async () => {
      await endChild(running);
    },
  };
}
