import { COMPILE_FORMAT } from '../../src/compile/compile-format.ts';
import { ProtoRegistry } from '../../src/compile/proto-registry.ts';
import { startSnapshotReconciler } from '../../src/compile/snapshot-reconciler.ts';
import { silentMeter } from '../../src/model/meter.ts';
import type { ModuleFetch } from '../../src/model/module-fetch.ts';
import type { NodeMetrics } from '../../src/model/node-metrics.ts';
import { type Clock, type Log, silentLog } from '../../src/model/ports.ts';
import type { Snapshot } from '../../src/model/snapshot.ts';
import { startRolloutController } from '../../src/rollout/rollout-controller.ts';
import { createCoalescedWriter } from '../../src/store/coalesced-writer.ts';
import { LiveTable } from '../../src/store/live-table.ts';
import type { Operation, Store } from '../../src/store/store.ts';
import { type AdsService, createAdsService, type DiscoveryStream } from '../../src/xds/ads-service.ts';
import { ANY_NODE } from '../../src/xds/identity/node-right.ts';
import type { ProtocolForm } from '../../src/xds/stream/channel.ts';
import { messageOf } from '../xds/model/message-of.ts';
import { type Distort, MortalStore } from './mortal-store.ts';
import type { SimClock } from './sim-clock.ts';

/** Plugins of this namespace would be for every node; the stories have none there. */
export const ROOT_NAMESPACE = 'istio-system';

/** Reading Envoy's API takes a while: one registry for all stories of a process. */
const registry = new ProtoRegistry();

export interface PlantOptions {
  /** Survives every kill. */
  readonly store: Store;
  readonly clock: SimClock;
  /** For what must not repeat, across kills too. */
  readonly nextHex: (bytes: number) => string;
  readonly onCommit: (operations: readonly Operation[]) => void;
  /** Errors that a stage logs. */
  readonly onError: (message: string, fields: object) => void;
  /** What the compiler is made to believe; tests of the checker only. */
  readonly distort?: Distort;
}

/**
 * One life of Attaché's own process: the real stages, joined as src/control-plane.ts joins them, without the api,
 * the modules and the ports. Whatever it has in memory ends with `kill`.
 */
export class Plant {
  readonly metrics = new LiveTable<NodeMetrics>();
  readonly #options: PlantOptions;
  readonly #store: MortalStore;
  readonly #clock: Clock;
  #ads: AdsService | undefined;
  #alive = true;
  #onFetch: (fetch: ModuleFetch) => void = () => {};

  constructor(options: PlantOptions) {
    const { clock, store } = options;
    this.#options = options;
    this.#store = new MortalStore(store, options.onCommit);
    this.#clock = {
      now: clock.now,
      after: (delayMs, callback) => clock.after(delayMs, () => this.#alive && callback()),
    };
  }

  get isAlive(): boolean {
    return this.#alive;
  }

  async start(): Promise<void> {
    const { nextHex, distort, store: durable } = this.#options;
    const [store, clock] = [this.#store, this.#clock];
    const log = this.#makeLog();
    const writer = createCoalescedWriter(store, clock, log);
    const snapshots = new LiveTable<Snapshot>();
    await startRolloutController({
      store,
      clock,
      log,
      format: COMPILE_FORMAT,
      rootNamespace: ROOT_NAMESPACE,
      metrics: this.metrics,
    });
    await startSnapshotReconciler({
      store: distort === undefined ? store : new MortalStore(durable, () => {}, distort),
      snapshots,
      modules: { host: '127.0.0.1', port: 18001, speaks: 'plain' },
      clock,
      log,
      rootNamespace: ROOT_NAMESPACE,
      registry,
      seal: { open: () => undefined },
    });
    this.#ads = await createAdsService({
      meter: silentMeter,
      store,
      snapshots,
      metrics: this.metrics,
      fetches: {
        subscribe: listener => {
          this.#onFetch = listener;
          return () => {};
        },
      },
      moduleKey: Buffer.alloc(32),
      mostNames: 1000,
      writer,
      clock,
      nextTurn: callback => clock.after(0, callback),
      random: nextHex,
      log,
    });
  }

  /** kill -9: nothing more is written, sent or heard. */
  kill(): void {
    this.#alive = false;
    this.#ads = undefined;
    this.#store.kill();
  }

  /** undefined: nobody listens. */
  open(form: ProtocolForm, send: (bytes: Buffer) => void): DiscoveryStream | undefined {
    return this.#ads?.open({ form, right: ANY_NODE }, frame => this.#alive && send(messageOf(frame)));
  }

  /** What the module server saw. */
  onFetch(fetch: ModuleFetch): void {
    if (this.#alive) this.#onFetch(fetch);
  }

  #makeLog(): Log {
    const error: Log['error'] = (fields, message) => {
      if (this.#alive) this.#options.onError(message, fields);
    };
    return { ...silentLog, error };
  }
}
