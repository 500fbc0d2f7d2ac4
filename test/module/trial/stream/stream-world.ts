import type { RunStep } from '../../../../src/model/plugin-run.ts';
import { writePairs } from '../../../../src/module/trial/pairs.ts';
import type { Entry } from '../../../../src/module/trial/run-guest.ts';
import { linkStreams } from '../../../../src/module/trial/stream/link-streams.ts';
import { StreamGuest } from '../../../../src/module/trial/stream/stream-guest.ts';
import type { StreamOrder } from '../../../../src/module/trial/stream/stream-protocol.ts';
import { WebAssembly } from '../../../../src/module/trial/web-assembly.ts';
import { Witness } from '../../../../src/module/trial/witness.ts';

const ANSWER_AT = 64;
const HEAP_AT = 4096;

/** A plugin in JavaScript: its callbacks by name, which call host functions as Wasm would. */
export type Callbacks = Readonly<Record<string, Entry>>;

/** A host with a plugin in it, and what a callback needs to call it with texts instead of addresses. */
export interface StreamWorld {
  readonly guest: StreamGuest;
  /** The callbacks that were called, with their arguments. */
  readonly calls: readonly string[];
  host(name: string, ...args: (number | bigint)[]): number;
  /** A text put into the memory, as address and size. */
  put(text: string | Uint8Array): [address: number, size: number];
  /** What the last answer wrote at the two words for it. */
  readonly answer: string;
  /** Of the header in a map; the status of the host where it gives none. */
  header(map: number, name: string): string | number;
  pairs(list: readonly (readonly [string, string])[]): [address: number, size: number];
}

export const ANSWER: readonly [number, number] = [ANSWER_AT, ANSWER_AT + 4];

/** `make` is given the world and answers the plugin. */
export function createWorld(
  make: (world: StreamWorld) => Callbacks,
  more: Partial<StreamOrder> = {},
  abi = '0_2_1',
): StreamWorld {
  const order: StreamOrder = {
    ...{ envoyMinor: 40, plugin: 'default/it', rootId: '', configuration: '', env: [], hostEnv: [] },
    ...{ now: 1_000, properties: {}, calls: [], steps: [] },
    ...more,
  };
  const guest = new StreamGuest(order, new Witness(() => {}));
  const memory = new WebAssembly.Memory({ initial: 1 });
  const calls: string[] = [];
  let heap = HEAP_AT;
  const allocate = (size: number) => {
    heap += size + 8;
    return heap - size - 8;
  };
  guest.attach(memory, size => allocate(Number(size)));
  guest.moment = 'run';
  const linked = linkStreams(guest);
  const host: StreamWorld['host'] = (name, ...args) => Number(linked.get(`env.proxy_${name}`)?.(...args));
  const put: StreamWorld['put'] = text => {
    const bytes = typeof text === 'string' ? Buffer.from(text) : text;
    const at = allocate(bytes.length);
    new Uint8Array(memory.buffer, at, bytes.length).set(bytes);
    return [at, bytes.length];
  };
  const world: StreamWorld = {
    guest,
    calls,
    host,
    put,
    get answer() {
      const view = Buffer.from(memory.buffer);
      const at = view.readUInt32LE(ANSWER_AT);
      return view.toString('utf8', at, at + view.readUInt32LE(ANSWER_AT + 4));
    },
    header(map, name) {
      const status = host('get_header_map_value', map, ...put(name), ...ANSWER);
      return status === 0 ? world.answer : status;
    },
    pairs: list => put(writePairs(list)),
  };
  const entries = Object.entries(make(world)).map(([name, entry]): [string, Entry] => [
    name,
    (...args) => {
      calls.push(`${name.replace('proxy_on_', '')} ${args.slice(1).join(' ')}`.trim());
      return entry(...args);
    },
  ]);
  guest.begin(new Map([[`proxy_abi_version_${abi}`, () => 0], ...entries]));
  return world;
}

/** A GET of `/` that is answered 200, with changes. */
export function makeStep(
  more: {
    readonly name?: string;
    readonly body?: readonly string[];
    readonly trailers?: RunStep['request']['trailers'];
    readonly answer?: readonly string[];
    readonly answerTrailers?: RunStep['request']['trailers'];
    readonly properties?: RunStep['properties'];
  } = {},
): RunStep {
  const { name = 'it', body = [], trailers = [], answer = [], answerTrailers = [], properties = {} } = more;
  const headers = [
    [':method', 'GET'],
    [':path', '/a?b=c'],
    [':authority', 'host'],
  ] as const;
  return {
    ...{ name, afterMs: 0, properties },
    request: { headers, body, trailers },
    response: { headers: [[':status', '200']], body: answer, trailers: answerTrailers },
  };
}
