/** A client that speaks HTTP/2 by hand, and so may stop at any byte: libraries answer, let go and read by themselves. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { DISCOVERY_METHODS } from '../../src/xds/discovery-services.ts';
import { toFrame as toGrpcFrame } from '../../src/xds/grpc-frame.ts';
import { encodeRequest } from '../xds/model/envoy-model.ts';

const DATA = 0;
const HEADERS = 1;
const SETTINGS = 4;
const WINDOW_UPDATE = 8;
const END_HEADERS = 4;
const INITIAL_WINDOW_SIZE = 4;
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const PATH =
  DISCOVERY_METHODS.find(({ form, typeUrl }) => form === 'delta' && typeUrl === undefined)?.path ?? '';

/** Of a connection without TLS, RFC 9113; its one stream is stream 1. */
export const raw = {
  preface: PREFACE,
  hello: Buffer.concat([PREFACE, toFrame(SETTINGS, 0, 0)]),
  /** As `hello`; whatever the server sends, no window of it gets full. */
  greedyHello: Buffer.concat([
    PREFACE,
    toFrame(SETTINGS, 0, 0, Buffer.from([0, INITIAL_WINDOW_SIZE, 0x7f, 0xff, 0xff, 0xff])),
    toFrame(WINDOW_UPDATE, 0, 0, Buffer.from([0x7f, 0xfe, 0, 0])),
  ]),
  headers: toFrame(
    HEADERS,
    END_HEADERS,
    1,
    Buffer.concat([
      toField(':method', 'POST'),
      toField(':scheme', 'http'),
      toField(':path', PATH),
      toField(':authority', 'attache'),
      toField('content-type', 'application/grpc'),
      toField('te', 'trailers'),
    ]),
  ),
  /** A request of a delta stream for all types. */
  ask(typeUrl: string, node: string): Buffer {
    return toFrame(DATA, 0, 1, toGrpcFrame(encodeRequest({ typeUrl }, node)));
  },
};

function toFrame(type: number, flags: number, stream: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** HPACK, RFC 7541: a literal that is not indexed. */
function toField(name: string, value: string): Buffer {
  const toText = (text: string) => Buffer.concat([Buffer.from([text.length]), Buffer.from(text)]);
  return Buffer.concat([Buffer.from([0]), toText(name), toText(value)]);
}

/** A socket that keeps its side open when the server ended its own, and reads only where it is told to. */
export async function connectRaw(t: TestContext, port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  t.after(() => socket.destroy());
  await once(socket, 'connect');
  socket.on('error', () => {});
  return socket;
}
