import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { TestContext } from 'node:test';
import { silentMeter } from '../../src/model/meter.ts';
import type { NodePresence } from '../../src/model/node.ts';
import type { NodeMetrics } from '../../src/model/node-metrics.ts';
import { type Clock, silentLog } from '../../src/model/ports.ts';
import type { EncodedResource } from '../../src/model/resource.ts';
import type { PortTls } from '../../src/model/server-tls.ts';
import type { Snapshot } from '../../src/model/snapshot.ts';
import { EXTENSION_CONFIG_TYPE, RUNTIME_TYPE, SECRET_TYPE, XDS_TYPES } from '../../src/model/type-url.ts';
import { DEFAULT_XDS_LIMITS, type XdsLimits } from '../../src/model/xds-limits.ts';
import { createCoalescedWriter } from '../../src/store/coalesced-writer.ts';
import { LiveTable } from '../../src/store/live-table.ts';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import { nextTurn } from '../../src/system.ts';
import { createAdsService } from '../../src/xds/ads-service.ts';
import { type NodeGateOptions, openNodeGate } from '../../src/xds/identity/node-gate.ts';
import { LimitGuard } from '../../src/xds/limits/limit-guard.ts';
import { type Patience, XDS_PATIENCE } from '../../src/xds/limits/patience.ts';
import { startXdsServer } from '../../src/xds/xds-server.ts';
import { stopAfter } from '../harness/cleanup.ts';
import { readSlot, snapshotOf } from '../xds/model/content.ts';
import { toPart } from '../xds/push/slot-story.ts';
import { type ClientProof, type Response, XdsConnection, type XdsStream } from './xds-client.ts';

export const [CDS, EDS, LDS, RDS] = XDS_TYPES.map(type => type.typeUrl) as [string, string, string, string];
export const ECDS = EXTENSION_CONFIG_TYPE;
export const NODE = 'edge-1';

const clock: Clock = {
  now: () => Date.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};

export interface World {
  /** `a@1 b@2`: name and version of all there is of a type. */
  readonly clusters?: string;
  readonly endpoints?: string;
  readonly listeners?: string;
  readonly routes?: string;
  readonly secrets?: string;
  readonly runtimes?: string;
  /** Slot to its content, `a@1 b@1`. */
  readonly slots?: Record<string, string>;
  /** Size of every resource, which then is no Any; default small. */
  readonly sizeBytes?: number;
}

function toSnapshot(world: World): Snapshot {
  const rows = [
    [CDS, world.clusters],
    [EDS, world.endpoints],
    [LDS, world.listeners],
    [RDS, world.routes],
    [SECRET_TYPE, world.secrets],
    [RUNTIME_TYPE, world.runtimes],
  ] as const;
  const resources = rows.map(([typeUrl, text = '']): [string, Map<string, EncodedResource>] => {
    const named = text
      .split(' ')
      .filter(Boolean)
      .map((it): [string, EncodedResource] => {
        const [name = '', version = ''] = it.split('@');
        const any = world.sizeBytes === undefined ? toAny(typeUrl, it) : Buffer.alloc(world.sizeBytes, it);
        return [name, { typeUrl, name, version, any }];
      });
    return [typeUrl, new Map(named)];
  });
  const slots = Object.entries(world.slots ?? {}).map(([name, content]) => {
    const parts = content.split(' ').filter(Boolean).map(toPart);
    return [name, { wanted: parts, good: [] }] as const;
  });
  return {
    ...snapshotOf({ slots: new Map(slots), listeners: new Map() }),
    resources: new Map(resources),
    listenerSlots: new Map(),
  };
}

/** google.protobuf.Any; both parts are short. */
function toAny(typeUrl: string, value: string): Buffer {
  const parts = [typeUrl, value].map((text, i) =>
    Buffer.concat([Buffer.from([((i + 1) << 3) | 2, text.length]), Buffer.from(text)]),
  );
  return Buffer.concat(parts);
}

export interface SceneOptions {
  /** Those that are not the defaults. */
  readonly limits?: Partial<XdsLimits>;
  /** Of the limits. */
  readonly limitClock?: Clock;
  readonly patience?: Partial<Patience>;
  /** How Envoys prove who they are; not at all. */
  readonly gate?: Pick<NodeGateOptions, 'auth' | 'claims'> & Partial<NodeGateOptions>;
  readonly tls?: PortTls;
}

/** The xds stage behind its port; `set` is what compile would do. */
export async function setUp(t: TestContext, world?: World, options: SceneOptions = {}) {
  const store = createMemoryStore();
  const snapshots = new LiveTable<Snapshot>();
  const metrics = new LiveTable<NodeMetrics>();
  const writer = createCoalescedWriter(store, clock, silentLog, { intervalMs: 5 });
  const random = (bytes: number): string => randomBytes(bytes).toString('hex');
  const fetches = { subscribe: () => () => {} };
  const moduleKey = Buffer.alloc(32);
  const limits = { ...DEFAULT_XDS_LIMITS, ...options.limits };
  const ads = await createAdsService({
    meter: silentMeter,
    store,
    snapshots,
    metrics,
    fetches,
    moduleKey,
    mostNames: limits.names,
    writer,
    clock,
    nextTurn,
    random,
    log: silentLog,
  });
  const guard = new LimitGuard({
    limits,
    clock,
    steady: options.limitClock ?? clock,
    nextTurn,
    log: silentLog,
  });
  const gate = await openNodeGate({
    ...{ auth: 'none', claims: 'kept', identity: undefined, tokenKey: moduleKey },
    ...{ store, clock, log: silentLog },
    ...options.gate,
  });
  const server = await startXdsServer({
    ads,
    listen: { host: '127.0.0.1', port: 0, tls: options.tls },
    guard,
    gate,
    patience: { ...XDS_PATIENCE, ...options.patience },
    log: silentLog,
  });
  stopAfter(t, {
    async stop() {
      await server.stop();
      gate.stop();
      ads.stop();
      await writer.stop();
      await store.close();
    },
  });
  const connect = (proof?: ClientProof): XdsConnection =>
    stopAfter(t, new XdsConnection(server.address.port, 'delta', proof));
  const connection = connect();
  const set = (next: World, node = NODE): void => snapshots.set(node, toSnapshot(next));
  if (world !== undefined) set(world);
  const presence = async (node = NODE): Promise<NodePresence | undefined> =>
    (await store.get('NodePresence', node))?.value;
  const open = (node?: string) => connection.open(node);
  return { server, connect, connection, set, presence, metrics, open, guard, gate, store };
}

/** `cds a@1 b@2 -c`; extension configs as `ecds slot: verdict a@1`. */
export function describe({ typeUrl, resources, removed }: Response): string {
  const short = XDS_TYPES.find(type => type.typeUrl === typeUrl)?.short ?? typeUrl;
  const named = resources.map(({ name, version, any }) => {
    if (short !== 'ecds') return `${name}@${version}`;
    const { variant, parts } = readSlot(any);
    const chain = parts.map(it => `${it.plugin.replace('default/', '')}@${it.revision}`).join(' ');
    return `${name}: ${variant} ${chain || 'pass-through'}`;
  });
  return [short, ...named, ...removed.map(name => `-${name}`)].join(' ');
}

/** The next response, ACKed, in words. */
export const accept = async (stream: XdsStream): Promise<string> => describe(await stream.accept());

/** That nothing was due before: what is asked for now is the next that comes. */
export async function assertSilent(stream: XdsStream): Promise<void> {
  const fence = `fence-${randomBytes(4).toString('hex')}`;
  stream.send({ typeUrl: RDS, subscribe: [fence] });
  assert.equal(await accept(stream), `rds -${fence}`);
}
