import { connect, type Socket } from 'node:net';
import * as grpc from '@grpc/grpc-js';
import { CLUSTER_TYPE } from '../../src/model/type-url.ts';
import { DISCOVERY_METHODS } from '../../src/xds/discovery-services.ts';
import type { Chance } from '../simulation/chance.ts';
import { SoakStream } from './soak-stream.ts';
import type { Tally } from './tally.ts';

const bytes = (message: Buffer): Buffer => message;
const ADS =
  DISCOVERY_METHODS.find(({ form, typeUrl }) => form === 'delta' && typeUrl === undefined)?.path ?? '';

/**
 * Clients that do no good: two that flood without an end, streams that never ask, sockets that never speak. The answer
 * ends them.
 */
export function startVandals(address: string, chance: Chance, tally: Tally): () => void {
  const client = new grpc.Client(address, grpc.credentials.createInsecure(), {
    'grpc.use_local_subchannel_pool': 1,
  });
  const streams = new Set<{ cancel(): void }>();
  const sockets = new Set<Socket>();
  const timers = new Set<NodeJS.Timeout>();
  let isOver = false;
  const later = (ms: number, callback: () => void): void => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      if (!isOver) callback();
    }, ms);
    timers.add(timer);
  };
  const flood = (node: string): void => {
    const call = client.makeBidiStreamRequest(ADS, bytes, bytes);
    const kept = new Map([[CLUSTER_TYPE, { names: new Set<string>(), held: new Map(), versionInfo: '' }]]);
    const onEnd = ({ details }: grpc.StatusObject): void => {
      tally.count(`floods ended: ${details.split(':')[0]}`);
      later(1000, () => flood(node));
    };
    const options = { form: 'delta', node, kept, chance, tally, mayRefuse: () => false, onEnd } as const;
    const stream = new SoakStream(call, options, false);
    streams.add(stream);
    stream.floodOn();
  };
  const beMute = (): void => {
    const call = client.makeBidiStreamRequest(ADS, bytes, bytes);
    streams.add(call);
    call.on('error', () => {});
    call.on('data', () => {});
    call.on('status', ({ details }) => {
      streams.delete(call);
      tally.count(`mute streams ended: ${details.split(':')[0]}`);
    });
    later(chance.integer(1000, 4000), beMute);
  };
  const knock = (): void => {
    const [host, port] = address.split(':');
    const socket = connect(Number(port), host);
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    later(chance.integer(100, 5000), () => socket.destroy());
    later(chance.integer(1000, 4000), knock);
    tally.count('sockets without a word');
  };
  for (const node of ['flood-1', 'flood-2']) flood(node);
  beMute();
  knock();
  return () => {
    isOver = true;
    for (const timer of timers) clearTimeout(timer);
    for (const stream of streams) stream.cancel();
    for (const socket of sockets) socket.destroy();
    client.close();
  };
}
