import { createHash } from 'node:crypto';
import { buildPlugin } from '../../plugins/build.ts';
import { buildHelloWorld } from '../fixtures/modules/hello-world/build.ts';

/** A Wasm module for a test. */
export interface FixtureModule {
  readonly bytes: Uint8Array;
  /** Of the bytes: 64 hexadecimal digits. */
  readonly sha256: string;
}

/** The place in `plugins/stamp` that a seed takes, as it stands in the module: 16 characters, UTF-16. */
const SEED_PLACE = Buffer.from('@seed___________', 'utf16le');

/**
 * The module that stamps every request and response with `x-stamp: <configuration>` and every response with
 * `x-stamp-module: <seed>`. Each seed gives a module of its own digest, so that no code cache knows it. A seed is 1
 * to 16 printable ASCII characters; shorter ones are padded with underscores, as the header shows.
 */
export async function buildStamp(seed: string): Promise<FixtureModule> {
  if (!/^[\x21-\x7e]{1,16}$/.test(seed)) throw new RangeError(`seed ${seed}: expected 1 to 16 characters`);
  const bytes = Buffer.from((await buildPlugin('stamp')).bytes);
  const at = bytes.indexOf(SEED_PLACE);
  if (at < 0) throw new Error('plugins/stamp has no place for a seed');
  bytes.write(toStampModule(seed), at, 'utf16le');
  return toFixture(bytes);
}

/** What `x-stamp-module` says for a seed. */
export function toStampModule(seed: string): string {
  return seed.padEnd(SEED_PLACE.length / 2, '_');
}

/** Any module under a new digest: the same code and a custom section that holds the seed. */
export function withSeed(bytes: Uint8Array, seed: string): FixtureModule {
  return toFixture(Buffer.concat([bytes, customSection('seed', Buffer.from(seed))]));
}

/** A module of exactly `sizeBytes`: the same code and a custom section of zeros, with the seed at its end. */
export function padTo(bytes: Uint8Array, sizeBytes: number, seed = ''): FixtureModule {
  const tail = Buffer.from(seed);
  const room = sizeBytes - bytes.length - customSection('pad', tail).length;
  if (room < 0) throw new RangeError(`a module of ${bytes.length} bytes cannot be padded to ${sizeBytes}`);
  return toFixture(Buffer.concat([bytes, customSection('pad', Buffer.concat([Buffer.alloc(room), tail]))]));
}

/** `add-header` as big as asked: a good plugin that takes long to download. */
export async function buildBig(sizeBytes: number, seed = ''): Promise<FixtureModule> {
  return padTo((await buildPlugin('add-header')).bytes, sizeBytes, seed);
}

/**
 * A plugin not written by us, from an SDK of 2020: `hello: <configuration>`, or `hello: world!` without one, in every
 * response. Its pluginName (Envoy's root_id) must be THIRD_PARTY_ROOT_ID.
 */
export function thirdPartyModule(): Promise<FixtureModule> {
  return buildHelloWorld();
}

/** The only root_id that `thirdPartyModule` knows; it traps on any other. */
export const THIRD_PARTY_ROOT_ID = 'add_header';

/** https://webassembly.github.io/spec/core/binary/modules.html#custom-section */
function customSection(name: string, contents: Uint8Array): Buffer {
  const nameBytes = Buffer.from(name);
  const body = Buffer.concat([toLeb128(nameBytes.length), nameBytes, contents]);
  return Buffer.concat([Buffer.of(0), toLeb128(body.length), body]);
}

/**
 * Always the longest form, 5 bytes, so that a section's size follows from its contents alone.
 * https://webassembly.github.io/spec/core/binary/values.html#integers
 */
function toLeb128(value: number): Buffer {
  const group = (index: number) => (value >>> (7 * index)) & 0x7f;
  return Buffer.of(group(0) | 0x80, group(1) | 0x80, group(2) | 0x80, group(3) | 0x80, group(4));
}

function toFixture(bytes: Uint8Array): FixtureModule {
  return { bytes, sha256: createHash('sha256').update(bytes).digest('hex') };
}
