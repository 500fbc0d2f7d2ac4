/**
 * grpc-js and nothing behind it: `node bench/xds/serve-bare-grpc.ts XDS-PORT CONTROL-PORT RESOURCE`. Every stream gets the same
 * 2 kB when it first asks, and anew for each `POST /push` to the control port; what it answers is not looked at. What this takes, no
 * server on grpc-js is below.
 */
import { createServer } from 'node:http';
import * as grpc from '@grpc/grpc-js';
import protobuf from 'protobufjs/minimal.js';
import { EXTENSION_CONFIG_TYPE } from '../../src/model/type-url.ts';
import { encodeDeltaResponse } from '../../src/xds/delta/messages.ts';
import { DISCOVERY_METHODS, toByteMethod } from '../../src/xds/discovery-services.ts';
import { encodeSotwResponse } from '../../src/xds/sotw/messages.ts';
import type { ProtocolForm } from '../../src/xds/stream/channel.ts';

const [XDS, CONTROL, RESOURCE = ''] = process.argv.slice(2);

type Call = grpc.ServerDuplexStream<Buffer, Buffer>;

/** Fields of google.protobuf.Any and of core.v3.TypedExtensionConfig. */
const [FIRST, SECOND] = [(1 << 3) | 2, (2 << 3) | 2];
/** Makes one resource about 2 KB, as those of the other sides. */
const PADDING = 'x'.repeat(1_900);

const toPair = (first: string, second: Uint8Array): Uint8Array =>
  protobuf.Writer.create().uint32(FIRST).string(first).uint32(SECOND).bytes(second).finish();

function encodePush(form: ProtocolForm, round: number): Buffer {
  const version = String(round);
  const config = toPair(RESOURCE, toPair('type.googleapis.com/bench', Buffer.from(PADDING + version)));
  const any = toPair(EXTENSION_CONFIG_TYPE, config);
  const head = { typeUrl: EXTENSION_CONFIG_TYPE, nonce: version };
  const resource = { ...head, name: RESOURCE, version, any };
  return Buffer.from(
    form === 'delta'
      ? encodeDeltaResponse({ ...head, resources: [resource], removed: [] })
      : encodeSotwResponse({ ...head, versionInfo: version, resources: [any] }),
  );
}

function toPushes(round: number): Readonly<Record<ProtocolForm, Buffer>> {
  return { delta: encodePush('delta', round), sotw: encodePush('sotw', round) };
}

let round = 1;
let pushes = toPushes(round);
const calls = new Map<Call, ProtocolForm>();

function serve(call: Call, form: ProtocolForm): void {
  const leave = (): void => void calls.delete(call);
  call.once('data', () => {
    calls.set(call, form);
    call.write(pushes[form]);
    call.on('data', () => {});
  });
  call.on('end', () => {
    leave();
    call.end();
  });
  for (const event of ['cancelled', 'close', 'error']) call.on(event, leave);
}

const server = new grpc.Server();
for (const { path, form } of DISCOVERY_METHODS) {
  const { responseSerialize, requestDeserialize } = toByteMethod(path, true);
  server.register(path, (call: Call) => serve(call, form), responseSerialize, requestDeserialize, 'bidi');
}
server.bindAsync(`127.0.0.1:${XDS}`, grpc.ServerCredentials.createInsecure(), error => {
  if (error !== null) throw error;
  createServer((_request, response) => {
    round += 1;
    pushes = toPushes(round);
    response.end();
    for (const [call, form] of calls) call.write(pushes[form]);
  }).listen(Number(CONTROL), '127.0.0.1', () => console.log('listening'));
});
