/** Clients that do what no Envoy should, in processes and on connections of their own beside a fleet that behaves. */
import http2 from 'node:http2';
import { DISCOVERY_METHODS } from '../../src/xds/discovery-services.ts';
import { toFrame } from '../../src/xds/grpc-frame.ts';
import { endChild, spawnChild } from '../../test/harness/child-process.ts';
import { encodeFleetRequest } from '../xds/node-messages.ts';
import { DRIVER_CORE, type Scenario, type Side } from '../xds/side.ts';

export interface BadClients {
  stop(): Promise<void>;
}

/** `load`: the program xds-load. */
export type StartBadClients = (load: string, side: Side, form: Scenario['form']) => Promise<BadClients>;

export const BAD_CLIENTS = {
  silent: { title: 'one stream that never reads', start: startSilent },
  refusing: { title: '100 streams that refuse everything', start: startRefusing },
  returning: { title: '1000 streams that connect at once, again and again', start: startReturning },
} satisfies Readonly<Record<string, { readonly title: string; readonly start: StartBadClients }>>;

export type BadClientsName = keyof typeof BAD_CLIENTS;

/** Offers room for a hundred bytes and never more, so that its first answer is never written out. */
async function startSilent(_load: string, side: Side, form: Scenario['form']): Promise<BadClients> {
  const session = http2.connect(`http://${side.address}`, { settings: { initialWindowSize: 100 } });
  session.on('error', () => {});
  const path = DISCOVERY_METHODS.find(it => it.form === form && it.typeUrl === undefined)?.path ?? '';
  const call = session.request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  call.on('error', () => {});
  const of = { resource: side.resource, node: 'silent-1', nonce: '', version: '', problem: undefined };
  call.write(toFrame(encodeFleetRequest({ form, repeatedExtensions: 0 }, of)));
  return { stop: async () => session.destroy() };
}

/** A fleet whose one round lasts as long as the program runs, and that accepts nothing in it. */
async function startRefusing(load: string, side: Side, form: Scenario['form']): Promise<BadClients> {
  const endless = 'exec tail --pid=$PPID -f /dev/null';
  const round = ['-pushes', '1', '-trigger-cmd', endless, '-timeout', '290s', '-parallel', '50'];
  const refusals = ['-nack', '1', '-nack-limit', '1000000'];
  const child = spawnLoad(load, side, form, ['-streams', '100', '-nodes', 'refusing', ...round, ...refusals]);
  return {
    stop: async () => {
      await endChild(child);
    },
  };
}

/** A thousand connections at once; all are cut when each was served or refused, and come again. */
async function startReturning(load: string, side: Side, form: Scenario['form']): Promise<BadClients> {
  const args = ['-streams', '1000', '-parallel', '1000', '-nodes', 'returning', '-pushes', '0'];
  let isOver = false;
  let child: ReturnType<typeof spawnChild> | undefined;
  const play = async () => {
    while (!isOver) {
      child = spawnLoad(load, side, form, [...args, '-timeout', '5s', '-settle', '0s']);
      await child.ended;
    }
  };
  const playing = play();
  return {
    stop: async () => {
      isOver = true;
      if (child !== undefined) await endChild(child);
      await playing;
    },
  };
}

/** With the lowest priority: what is measured is the server, not who shares the driver's core. */
function spawnLoad(load: string, side: Side, form: Scenario['form'], more: readonly string[]) {
  const args = ['-addr', side.address, '-names', side.resource, '-mode', form, ...more];
  return spawnChild('nice', ['-n', '19', 'taskset', '-c', DRIVER_CORE, load, ...args], { stdio: 'ignore' });
}
