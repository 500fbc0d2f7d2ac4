import assert from 'node:assert/strict';
import type { ServerHttp2Stream } from 'node:http2';
import { Duplex } from 'node:stream';
import { test } from 'node:test';
import type * as grpc from '@grpc/grpc-js';
import { type Call, FramedCall, type Listener } from '../../src/xds/framed-call.ts';

/** As it is on the wire. */
function toFrame(text: string, { isCompressed = false } = {}): Buffer {
  const header = Buffer.from([isCompressed ? 1 : 0, 0, 0, 0, 0]);
  header.writeUInt32BE(text.length, 1);
  return Buffer.concat([header, Buffer.from(text)]);
}

/** A call that has begun. What grpc-js is given to read is in `left`, what is written in `written`. */
function open({ mostBytes = 100, autoRead = false, early = '', isFlowing = false } = {}) {
  const told: string[] = [];
  const left: string[] = [];
  const written: string[] = [];
  let reads = 0;
  const stream = new Duplex({
    read() {
      reads += 1;
    },
    write(chunk: Buffer, _encoding, done) {
      written.push(chunk.toString('latin1'));
      done();
    },
  });
  let inner: Listener | undefined;
  let hasAsked = false;
  stream.on('data', (chunk: Buffer) => void left.push(chunk.toString('latin1')));
  if (!isFlowing) stream.pause();
  stream.on('end', () => hasAsked && inner?.onReceiveHalfClose());
  const base = {
    start(listener: Listener) {
      inner = listener;
      listener.onReceiveMetadata({} as grpc.Metadata);
    },
    startRead() {
      hasAsked = true;
      stream.resume();
    },
    sendMetadata: () => void written.push('metadata'),
  };
  for (const byte of early === '' ? [] : toFrame(early)) stream.push(Buffer.of(byte));
  const call = new FramedCall(base as unknown as Call, stream as unknown as ServerHttp2Stream, mostBytes);
  call.start({
    onReceiveMetadata() {},
    onReceiveMessage(message: Buffer) {
      told.push(message.toString());
      if (autoRead) call.startRead();
    },
    onReceiveHalfClose: () => void told.push('end'),
    onCancel: () => void told.push('cancel'),
  });
  const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve));
  return { call, stream, told, left, written, turn, reads: () => reads, cancel: () => inner?.onCancel() };
}

test('messages come whole, one for each that is asked for, however they were cut', async () => {
  const whole = ['', 'a', 'bc', 'd'.repeat(90), 'e'].map(it => toFrame(it));
  const bytes = Buffer.concat(whole);
  for (let size = 1; size <= bytes.length; size++) {
    const { stream, told, turn, call } = open({ autoRead: true });
    call.startRead();
    for (let at = 0; at < bytes.length; at += size) stream.push(bytes.subarray(at, at + size));
    stream.push(null);
    await turn();
    await turn();
    assert.deepEqual(told, ['', 'a', 'bc', 'd'.repeat(90), 'e', 'end'], `pieces of ${size}`);
  }
});

test('what is not asked for waits, and the stream with it', async () => {
  const { stream, told, turn, call, reads } = open();
  assert.equal(stream.push(Buffer.concat([toFrame('a'), toFrame('b'), toFrame('c').subarray(0, 3)])), false);
  await turn();
  const before = reads();
  assert.deepEqual(told, []);
  for (const text of ['a', 'b']) {
    call.startRead();
    assert.deepEqual([told.at(-1), reads()], [text, before]);
  }
  call.startRead();
  assert.deepEqual([told, reads()], [['a', 'b'], before + 1], 'a part is not enough: the rest may come');
  assert.equal(stream.push(toFrame('c').subarray(3)), false);
  stream.push(null);
  await turn();
  assert.deepEqual(told, ['a', 'b', 'c']);
  call.startRead();
  await turn();
  await turn();
  assert.deepEqual(told, ['a', 'b', 'c', 'end']);
});

for (const isFlowing of [false, true])
  test(`what came before the call began is told first, of a stream that ${isFlowing ? 'flows' : 'waits'}`, async () => {
    const { stream, told, left, turn, call } = open({ autoRead: true, early: 'abc', isFlowing });
    stream.push(toFrame('d'));
    await turn();
    assert.deepEqual([told, left], [[], []]);
    call.startRead();
    assert.deepEqual([told, left], [['abc', 'd'], []]);
  });

test('a message of many pieces is no other once it was read, and what came behind it is kept', async () => {
  const { stream, told, turn, call } = open();
  const [long, next] = [toFrame('m'.repeat(90)), toFrame('n'.repeat(80))];
  stream.push(Buffer.concat([long, next]).subarray(0, 50));
  call.startRead();
  stream.push(Buffer.concat([long, next]).subarray(50, 120));
  const other = open();
  other.call.startRead();
  for (const at of [0, 30, 60]) other.stream.push(toFrame('o'.repeat(70)).subarray(at, at + 30));
  call.startRead();
  stream.push(Buffer.concat([long, next]).subarray(120));
  await turn();
  assert.deepEqual([told, other.told], [['m'.repeat(90), 'n'.repeat(80)], ['o'.repeat(70)]]);
});

for (const [what, frame] of [
  ['compressed', toFrame('zipped', { isCompressed: true })],
  ['too large', toFrame('x'.repeat(101))],
] as const)
  test(`what is ${what} is left to grpc-js, with all that follows`, async () => {
    const { stream, told, left, turn, call } = open({ autoRead: true });
    call.startRead();
    stream.push(Buffer.concat([toFrame('a'), frame.subarray(0, 7)]));
    await turn();
    stream.push(Buffer.concat([frame.subarray(7), toFrame('b')]));
    await turn();
    assert.deepEqual([told, left.join('')], [['a'], Buffer.concat([frame, toFrame('b')]).toString('latin1')]);
  });

test('frames go out as they are, after the metadata; none goes out after the end', async () => {
  const { stream, call, written, turn } = open();
  let done = 0;
  for (const text of ['a', 'bc']) call.sendMessage(toFrame(text), () => done++);
  stream.end();
  call.sendMessage(toFrame('d'), () => done++);
  await turn();
  assert.deepEqual(written, ['metadata', '\0\0\0\0\u0001a', '\0\0\0\0\u0002bc']);
  assert.equal(done, 2);
});

test('after the end nothing is told, and what still comes is let go', async () => {
  const { stream, told, turn, call, cancel } = open();
  stream.push(toFrame('a'));
  await turn();
  cancel();
  call.startRead();
  assert.equal(stream.push(toFrame('b')), true);
  await turn();
  assert.deepEqual([told, stream.readableLength], [['cancel'], 0]);
});
