import * as grpc from '@grpc/grpc-js';
import {
  CLUSTER_TYPE,
  ENDPOINT_TYPE,
  EXTENSION_CONFIG_TYPE,
  LISTENER_TYPE,
  ROUTE_TYPE,
} from '../../src/model/type-url.ts';
import { DISCOVERY_METHODS } from '../../src/xds/discovery-services.ts';
import type { ProtocolForm } from '../../src/xds/stream/channel.ts';
import type { Chance } from '../simulation/chance.ts';
import { NAMES } from './content.ts';
import { type Kept, SoakStream } from './soak-stream.ts';
import type { Tally } from './tally.ts';

export interface ClientOptions {
  readonly address: string;
  readonly node: string;
  readonly form: ProtocolForm;
  /** One stream for all types, or one for each of four. */
  readonly isAds: boolean;
  readonly chance: Chance;
  readonly tally: Tally;
  /** While it is calm nothing is refused and nobody goes. */
  readonly isCalm: () => boolean;
}

const SEPARATE = [CLUSTER_TYPE, ENDPOINT_TYPE, LISTENER_TYPE, ROUTE_TYPE];
const PLACE = 'attache.authn';
const bytes = (message: Buffer): Buffer => message;

/** The connection of one Envoy, which comes back whenever it is gone. */
export class SoakClient {
  readonly #options: ClientOptions;
  #client: grpc.Client;
  readonly #streams = new Map<string, SoakStream>();
  readonly #kept = new Map<string, Map<string, Kept>>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #isGone = false;
  /** How its last streams ended. */
  readonly #ends: string[] = [];

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#client = this.#connect();
    for (const key of options.isAds ? ['ads'] : SEPARATE) {
      this.#kept.set(key, this.#firstWishes(key));
      this.#open(key, false);
    }
    this.#live();
  }

  get node(): string {
    return this.#options.node;
  }

  get streams(): number {
    return [...this.#streams.values()].filter(stream => stream.isOpen).length;
  }

  /** What it has not, of what is newest: sentences; none: all is well. */
  missing(newest: ReadonlyMap<string, ReadonlyMap<string, string>>): readonly string[] {
    const { node, form } = this.#options;
    const faults: string[] = [];
    for (const [key, types] of this.#kept) {
      if (this.#streams.get(key)?.isOpen !== true) faults.push(`${node} ${form} ${key}: not connected`);
      for (const [typeUrl, { names, held }] of types) {
        const short = typeUrl.slice(typeUrl.lastIndexOf('.') + 1);
        const marks = newest.get(typeUrl);
        const wanted = names.size > 0 ? names : (marks?.keys() ?? []);
        for (const name of wanted) {
          const has = held.get(name);
          const isRight = marks === undefined ? has !== undefined : has?.mark === marks.get(name);
          if (!isRight) faults.push(`${node} ${form} ${short} ${name}: ${has?.mark} for ${marks?.get(name)}`);
        }
        for (const [name, { mark }] of held)
          if (mark !== undefined && marks?.has(name) === false)
            faults.push(`${node} ${form} ${short} ${name}: still has it`);
      }
    }
    return faults;
  }

  /** What happened last on its streams. */
  story(): readonly string[] {
    const now = [...this.#streams].flatMap(([key, { story }]) => [`${this.node} ${key}:`, ...story]);
    return [...this.#ends, ...now];
  }

  leave(): void {
    this.#isGone = true;
    for (const timer of this.#timers) clearTimeout(timer);
    for (const stream of this.#streams.values()) stream.cancel();
    this.#client.close();
  }

  #connect(): grpc.Client {
    return new grpc.Client(this.#options.address, grpc.credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
    });
  }

  /** What it does beside answering: something every second or so. */
  #live(): void {
    const { chance, isCalm } = this.#options;
    this.#later(chance.integer(200, 3000), () => {
      if (!isCalm()) this.#act();
      this.#live();
    });
  }

  #act(): void {
    const { chance, tally } = this.#options;
    const [key, stream] = chance.pick([...this.#streams]);
    if (!stream.isOpen) return;
    const act = chance.weighted([
      [40, 'rename'],
      [10, 'cancel'],
      [4, 'half-close'],
      [6, 'disconnect'],
      [4, 'flood'],
      [1, 'large'],
    ] as const);
    tally.count(`did ${act}`);
    if (act === 'rename') {
      const typeUrl = chance.pick([ENDPOINT_TYPE, ROUTE_TYPE]);
      const names = NAMES.get(typeUrl) ?? [];
      if (this.#kept.get(key)?.has(typeUrl))
        stream.rename(typeUrl, chance.some(names, chance.integer(1, names.length)));
    } else if (act === 'cancel') stream.cancel();
    else if (act === 'half-close') stream.halfClose();
    else if (act === 'flood') stream.flood(300);
    else if (act === 'large') stream.sendLarge(300_000);
    else {
      const old = this.#client;
      this.#client = this.#connect();
      for (const one of this.#streams.values()) one.cancel();
      old.close();
    }
  }

  #firstWishes(key: string): Map<string, Kept> {
    const wish = (...names: string[]): Kept => ({ names: new Set(names), held: new Map(), versionInfo: '' });
    const all: readonly (readonly [string, Kept])[] = [
      [CLUSTER_TYPE, wish()],
      [ENDPOINT_TYPE, wish('endpoint-0', 'endpoint-1')],
      [LISTENER_TYPE, wish()],
      [ROUTE_TYPE, wish('route-0')],
      [EXTENSION_CONFIG_TYPE, wish(PLACE)],
    ];
    return new Map(all.filter(([typeUrl]) => key === 'ads' || typeUrl === key));
  }

  #open(key: string, isKnown: boolean): void {
    const { form, node, chance, tally, isCalm } = this.#options;
    const kept = this.#kept.get(key);
    const method = DISCOVERY_METHODS.find(it => it.form === form && (it.typeUrl ?? 'ads') === key);
    if (method === undefined || kept === undefined || this.#isGone) return;
    tally.count('streams opened');
    const call = this.#client.makeBidiStreamRequest(method.path, bytes, bytes);
    const onEnd = ({ code, details }: grpc.StatusObject): void => {
      const reason = details.split(':')[0] ?? '';
      tally.count(
        `streams ended: ${grpc.status[code]}${code === grpc.status.RESOURCE_EXHAUSTED ? ` ${reason}` : ''}`,
      );
      this.#ends.push(`${new Date().toISOString()} ${key} ended: ${code} ${details}`);
      if (this.#ends.length > 5) this.#ends.shift();
      if (this.#isGone) return;
      this.#later(chance.integer(50, 2000), () => this.#open(key, chance.is(0.5)));
    };
    const mayRefuse = (): boolean => !isCalm();
    this.#streams.set(
      key,
      new SoakStream(call, { form, node, kept, chance, tally, mayRefuse, onEnd }, isKnown),
    );
  }

  #later(ms: number, callback: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      if (!this.#isGone) callback();
    }, ms);
    this.#timers.add(timer);
  }
}
