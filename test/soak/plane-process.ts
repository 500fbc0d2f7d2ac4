/**
 * The control plane as the soak runs it: a process of its own that tells of its memory when asked. Ends by itself once
 * it was stopped, unless something was left open; it says what.
 */
import { readConfig } from '../../src/config.ts';
import { startControlPlane } from '../../src/control-plane.ts';
import { silentLog } from '../../src/model/ports.ts';
import type { FromPlane, ToPlane } from './plane.ts';

const [dataDirectory = '', ...limits] = process.argv.slice(2);
const flags = {
  data: dataDirectory,
  'xds-listen': '127.0.0.1:0',
  'modules-listen': '127.0.0.1:0',
  'api-listen': '127.0.0.1:0',
  'xds-limit': limits,
};

const tell = (message: FromPlane): void => {
  process.send?.(message);
};

const errors: string[] = [];
const log = {
  ...silentLog,
  error: (fields: object, text: string) => errors.push(text + JSON.stringify(fields)),
};
const plane = await startControlPlane(readConfig(flags, {}), log);
tell({ said: 'ready', xds: plane.addresses.xds, api: plane.addresses.api });

process.on('message', (message: ToPlane) => {
  if (message.ask === 'memory') void measure();
  else void stop();
});

async function measure(): Promise<void> {
  // What a collection frees for good it frees in the second one.
  for (let i = 0; i < 2; i++) {
    globalThis.gc?.();
    await new Promise(resolve => setImmediate(resolve));
  }
  const { heapUsed, arrayBuffers, rss } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  tell({ said: 'memory', heapUsed, arrayBuffers, rss, cpuMs: (user + system) / 1000 });
}

async function stop(): Promise<void> {
  await plane.stop();
  const left = process.getActiveResourcesInfo().filter(name => !/^(Pipe|PipeWrap)$/.test(name));
  tell({ said: 'stopped', left, errors: errors.slice(0, 20) });
  process.disconnect?.();
}
