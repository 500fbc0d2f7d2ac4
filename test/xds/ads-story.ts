/** The service on a fake clock, and clients of it; the test is the Envoys. */
import { silentMeter } from '../../src/model/meter.ts';
import type { ModuleFetch } from '../../src/model/module-fetch.ts';
import type { NodePresence } from '../../src/model/node.ts';
import { type NextTurn, silentLog } from '../../src/model/ports.ts';
import type { Snapshot } from '../../src/model/snapshot.ts';
import { LiveTable } from '../../src/store/live-table.ts';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import type { Store } from '../../src/store/store.ts';
import { type AdsService, createAdsService, type DiscoveryStream } from '../../src/xds/ads-service.ts';
import { ANY_NODE } from '../../src/xds/identity/node-right.ts';
import { snapshotOf } from './model/content.ts';
import { type DeltaMessage, decodeResponse, encodeRequest } from './model/envoy-model.ts';
import { atOnce, FakeClock } from './model/fake-clock.ts';
import { messageOf } from './model/message-of.ts';
import { toPart } from './push/slot-story.ts';

export const SLOT = 'attache.authn/l1';

export function toSnapshot(content: string): Snapshot {
  const parts = content.split(' ').filter(Boolean).map(toPart);
  return snapshotOf({ slots: new Map([[SLOT, { wanted: parts, good: [] }]]), listeners: new Map() });
}

interface Options {
  readonly nextTurn?: NextTurn;
  /** Of a service that was stopped. */
  readonly store?: Store;
}

let random = 0;

/** The service on a fake clock; what was put is durable when `flush` says so. */
export async function setUp({ nextTurn = atOnce, store = createMemoryStore() }: Options = {}) {
  const clock = new FakeClock();
  const presences: NodePresence[] = [];
  const snapshots = new LiveTable<Snapshot>();
  const waiting: (() => void)[] = [];
  const writes: Promise<unknown>[] = [];
  let pending = false;
  let tell: (fetch: ModuleFetch) => void = () => {};
  const ads = await createAdsService({
    meter: silentMeter,
    store,
    snapshots,
    metrics: new LiveTable(),
    fetches: {
      subscribe: listener => {
        tell = listener;
        return () => {
          tell = () => {};
        };
      },
    },
    moduleKey: Buffer.alloc(32),
    mostNames: 1000,
    writer: {
      put: (kind, key, value) => {
        pending = true;
        writes.push(store.put(kind, key, value));
        if (kind === 'NodePresence') presences.push(value as NodePresence);
      },
      delete: () => {},
      afterWrite: callback => {
        if (pending) waiting.push(callback);
        else callback();
      },
    },
    clock,
    nextTurn,
    random: bytes => (++random).toString(16).padStart(bytes * 2, '0'),
    log: silentLog,
  });
  const flush = (): void => {
    pending = false;
    for (const callback of waiting.splice(0)) callback();
  };
  const fetch = (fetch: ModuleFetch): void => tell(fetch);
  return { clock, snapshots, ads, store, writes, presences, flush, fetch };
}

/** One stream and what came over it. */
export class Client {
  readonly #node: string | Uint8Array;
  readonly stream: DiscoveryStream;
  readonly #sent: ReturnType<typeof decodeResponse>[] = [];

  constructor(
    ads: AdsService,
    node: string | Uint8Array = 'edge-1',
    of: { readonly typeUrl?: string; readonly peer?: string } = {},
  ) {
    this.#node = node;
    const call = { form: 'delta' as const, right: ANY_NODE, ...of };
    this.stream = ads.open(call, frame => this.#sent.push(decodeResponse(messageOf(frame))));
  }

  send(message: DeltaMessage, node = this.#node): this {
    this.stream.onMessage(encodeRequest(message, node));
    return this;
  }

  ask(typeUrl: string, subscribe: readonly string[] = [], versions: Record<string, string> = {}): this {
    return this.send({ typeUrl, subscribe, initialVersions: new Map(Object.entries(versions)) });
  }

  take(): ReturnType<typeof decodeResponse>[] {
    return this.#sent.splice(0);
  }

  answer({ typeUrl, nonce }: { typeUrl: string; nonce: string }, errorDetail?: string): this {
    return this.send({
      typeUrl,
      responseNonce: nonce,
      ...(errorDetail === undefined ? {} : { errorDetail }),
    });
  }
}
