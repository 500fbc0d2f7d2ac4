import type { Meter } from '../model/meter.ts';
import type { ModuleFetchFeed } from '../model/module-fetch.ts';
import { type NodeIdentity, SILENT_AFTER_MS } from '../model/node.ts';
import type { NodeMetrics } from '../model/node-metrics.ts';
import type { Clock, Log, NextTurn, RandomHex } from '../model/ports.ts';
import type { Snapshot } from '../model/snapshot.ts';
import { EXTENSION_CONFIG_TYPE } from '../model/type-url.ts';
import type { LiveTable } from '../store/live-table.ts';
import type { Store } from '../store/store.ts';
import { DelayLine } from './delay-line.ts';
import { decodeDeltaRequest } from './delta/messages.ts';
import { bringsVersions, type DiscoveryRequest } from './discovery-request.ts';
import { FanOut, type Served } from './fan-out.ts';
import { keepForgetting } from './forget-nodes.ts';
import { demand, type NodeRight } from './identity/node-right.ts';
import { createMetricsReceiver, type MetricsStream } from './metrics/metrics-receiver.ts';
import { toReading } from './metrics/to-reading.ts';
import { checkNode } from './node-check.ts';
import { decodeNode } from './node-codec.ts';
import { type CoalescedPut, NodeRecorder } from './node-recorder.ts';
import { mayBeOlder } from './not-new.ts';
import { ProcessRegistry } from './process-registry.ts';
import { FleetSteps } from './push/fleet-steps.ts';
import { onFetch } from './push/process-machine.ts';
import { decodeSotwRequest } from './sotw/messages.ts';
import { createNodeConfigs, type NodeConfigs } from './status/node-configs.ts';
import type { Channel, ProtocolForm } from './stream/channel.ts';
import { Session } from './stream/session.ts';
import type { Overdue, StreamContext } from './stream/stream-context.ts';
import { XdsError } from './xds-error.ts';

export interface AdsOptions {
  readonly store: Store;
  /** By node id; written by compile. */
  readonly snapshots: LiveTable<Snapshot>;
  /** By node id; written here. */
  readonly metrics: LiveTable<NodeMetrics>;
  readonly fetches: ModuleFetchFeed;
  readonly moduleKey: Uint8Array;
  /** Resource names that one Envoy may ask for. */
  readonly mostNames: number;
  readonly writer: CoalescedPut;
  readonly clock: Clock;
  readonly nextTurn: NextTurn;
  readonly random: RandomHex;
  readonly log: Log;
  readonly meter: Meter;
}

/** One discovery stream as the transport sees it. */
export interface DiscoveryStream {
  /** Throws XdsError for a request that ends the stream. */
  onMessage(bytes: Uint8Array): void;
  /** Throws XdsError where the caller may not act any more as the node that it is. */
  check(): void;
  close(): void;
}

/** How a discovery stream was called. */
export interface StreamCall {
  readonly form: ProtocolForm;
  /** The one type that it is for; absent: all types (ADS). */
  readonly typeUrl?: string;
  /** The address that it comes from. */
  readonly peer?: string;
  /** As which nodes the caller may act. */
  readonly right: NodeRight;
}

/** What the transport needs: a stream per call, and an end. */
export interface AdsService {
  /** What is sent are frames. */
  open(call: StreamCall, send: (frame: Buffer) => void): DiscoveryStream;
  /** The metrics service: one stream per Envoy. */
  openMetrics(peer: string, right: NodeRight): MetricsStream;
  /** What every node has of what it is to have. */
  readonly configs: NodeConfigs;
  stop(): void;
}

const STORE_PATIENCE_MS = 1000;
const NO_SESSIONS: readonly NodeSession[] = [];

/** The shell of the xds stage: joins streams, processes, snapshots and module downloads. */
export async function createAdsService(options: AdsOptions): Promise<AdsService> {
  const { store, snapshots, fetches, clock, random, log } = options;
  const presences = (await store.list('NodePresence')).records.map(record => record.value);
  const verdicts = (await store.list('NodeVerdict')).records.map(record => record.value);
  const registry = new ProcessRegistry();
  registry.restore(presences, verdicts);
  const recorder = new NodeRecorder(options.writer, clock, random, presences, verdicts);
  recorder.forgetConnections(clock.now());
  const { moduleKey, mostNames, meter } = options;
  const steps = new FleetSteps(random);
  const silence = new DelayLine<Overdue>(clock, SILENT_AFTER_MS, session => session.onOverdue());
  const context: StreamContext = { clock, log, meter, recorder, steps, silence, moduleKey, mostNames };
  const seats = new Map<string, Seat>();
  const sessionsOf = (nodeId: string): readonly NodeSession[] => seats.get(nodeId)?.sessions ?? NO_SESSIONS;

  const fanOut = new FanOut<Seat>({
    clock,
    log,
    nextTurn: options.nextTurn,
    serve({ nodeId, sessions, snapshot = snapshots.get(nodeId) }) {
      if (snapshot !== undefined) for (const session of sessions) session.onSnapshot(snapshot);
    },
  });
  const unnamed = new DelayLine<NodeSession>(clock, STORE_PATIENCE_MS, session => settle(session));
  const stopSnapshots = snapshots.watch((nodeId, snapshot, madeFor) => {
    const seat = seats.get(nodeId);
    if (seat === undefined) return;
    seat.snapshot = snapshot;
    seat.madeFor = madeFor;
    fanOut.mark(seat);
  });
  const receiver = createMetricsReceiver({
    metrics: options.metrics,
    clock,
    owners: {
      processOf(nodeId, peer) {
        const own = sessionsOf(nodeId);
        const session = findByPeer(own, peer) ?? (own.length === 1 ? own[0] : undefined);
        if (session !== undefined) return session.streams.process.id;
        return own.length > 0 ? null : registry.current(nodeId)?.id;
      },
      // Only what came over the same connection is surely of the same process.
      beganAt(nodeId, peer) {
        const session = findByPeer(sessionsOf(nodeId), peer);
        return session?.streams.process.state.fresh === true ? session.openedAt : undefined;
      },
      onFlush(nodeId, peer, flush) {
        findByPeer(sessionsOf(nodeId), peer)?.streams.onReading(toReading(flush));
      },
    },
  });
  const stopForgetting = keepForgetting({
    store,
    clock,
    log,
    presences: () => recorder.presences(),
    forget(nodeId, reason) {
      registry.forget(nodeId);
      recorder.forget(nodeId);
      receiver.forget(nodeId);
      if (reason === 'away')
        recorder.event('node.forgotten', nodeId, `${nodeId} was away too long`, clock.now());
      log.info({ node: nodeId, reason }, 'node forgotten');
    },
  });
  const stopFetches = fetches.subscribe(fetch => {
    const process = registry.byId(fetch.process);
    if (process === undefined) return;
    const session = sessionsOf(process.nodeId).find(it => it.streams.process === process);
    // An Envoy whose stream broke goes on downloading: what it holds then is known when it comes back.
    if (session === undefined) process.state = onFetch(process.state, fetch, clock.now());
    else session.streams.onFetch(fetch);
  });

  /** The session that a new stream of a node belongs to, begun with it or by an earlier stream of the same Envoy. */
  function join(node: NodeIdentity, request: DiscoveryRequest, { typeUrl, peer, right }: StreamCall): Joined {
    const own = sessionsOf(node.id);
    const open = own.filter(session => session.streams.hasRoomFor(typeUrl));
    // Over the same connection it is the same Envoy; elsewhere, streams of single types are taken to complete it, but for
    // one of a place that it has a stream of already: that is of another Envoy, or its former self is not known to be gone.
    const others =
      typeUrl === EXTENSION_CONFIG_TYPE ? open.filter(it => !it.streams.hasPlaceOf(request)) : open;
    const known = findByPeer(open, peer) ?? (typeUrl === undefined ? undefined : others.at(-1));
    if (known !== undefined) return { session: known, isNew: false };
    const fresh = !bringsVersions(request);
    const former = registry.current(node.id);
    const process = registry.attach(node, fresh, () => random(8));
    if (typeUrl !== undefined && fresh && former !== undefined) mayBeOlder(process, former);
    if (own.length > 0 && former !== undefined) former.shared = process.shared = true;
    recorder.connected(node, process, clock.now());
    log.info({ node: node.id, envoy: node.envoyVersion, fresh, proof: right.proof }, 'node connected');
    const seat = seats.get(node.id) ?? new Seat(node.id);
    const session = new NodeSession(node, new Session(process, context), peer, clock.now(), seat);
    seat.sessions = [...seat.sessions, session];
    seats.set(node.id, seat);
    tellEnvoys(node.id);
    return { session, isNew: true };
  }

  /** Of most nodes there is one. */
  function tellEnvoys(nodeId: string): void {
    const own = sessionsOf(nodeId);
    if (own.length < 2 && recorder.presence(nodeId)?.envoys === undefined) return;
    const envoys = own.map(({ node, peer, openedAt }) => ({
      address: peer ?? '',
      since: openedAt,
      envoyVersion: node.envoyVersion,
    }));
    recorder.sharedBy(nodeId, envoys, clock.now());
  }

  /**
   * Nothing is pushed to a process before its name is durable: after a kill we would take it for its former self, whose
   * code cache was full. A store that does not answer must not keep an Envoy from starting.
   */
  function admit(session: NodeSession): void {
    if (session.streams.process.connectedBefore) {
      settle(session);
      return;
    }
    recorder.whenDurable(() => settle(session));
    unnamed.add(session, clock.now());
  }

  function settle(session: NodeSession): void {
    if (session.named) return;
    session.named = true;
    if (session.streams.isOpen) fanOut.mark(session.seat);
  }

  function leave(session: NodeSession, channel: Channel): void {
    const { process } = session.streams;
    const isLast = session.streams.isOnly(channel);
    const other = isLast ? sessionsOf(process.nodeId).findLast(it => it !== session) : undefined;
    // First: a node that is gone keeps the places that it had.
    if (isLast && other === undefined) recorder.disconnected(process, clock.now());
    session.streams.close(channel);
    if (!isLast) return;
    const { seat } = session;
    seat.sessions = seat.sessions.filter(it => it !== session);
    if (seat.sessions.length === 0) seats.delete(process.nodeId);
    if (other !== undefined && registry.current(process.nodeId) === process) {
      registry.handOver(other.streams.process);
      recorder.handedOver(other.node, other.streams.process, other.openedAt, clock.now());
    }
    registry.detach(process);
    tellEnvoys(process.nodeId);
    log.info({ node: process.nodeId }, 'node disconnected');
  }

  return {
    open(call, send) {
      const decode = call.form === 'delta' ? decodeDeltaRequest : decodeSotwRequest;
      let joined: { readonly session: NodeSession; readonly channel: Channel } | undefined;
      return {
        onMessage(bytes) {
          this.check();
          const request = decode(bytes);
          if (joined === undefined) {
            const node = firstNode(request, call.right);
            const { session, isNew } = join(node, request, call);
            joined = { session, channel: session.streams.open(call.form, call.typeUrl, send) };
            if (isNew) admit(session);
          } else checkNode(request.node, joined.session.node.id);
          fanOut.serveNow(joined.session.seat);
          joined.session.streams.onRequest(joined.channel, request);
        },
        check() {
          if (joined !== undefined) demand(call.right, joined.session.node.id);
        },
        close() {
          if (joined !== undefined) leave(joined.session, joined.channel);
          joined = undefined;
        },
      };
    },
    openMetrics: (peer, right) => receiver.open(peer, right),
    configs: createNodeConfigs({
      presences: () => recorder.presences(),
      presence: nodeId => recorder.presence(nodeId),
      verdict: (nodeId, slot) => recorder.verdict(nodeId, slot),
      snapshot: nodeId => snapshots.get(nodeId),
      states: {
        of: nodeId => sessionsOf(nodeId).flatMap(({ streams }) => [...streams.resourceStates()]),
      },
    }),
    stop() {
      stopForgetting();
      receiver.stop();
      stopSnapshots();
      fanOut.stop();
      unnamed.stop();
      stopFetches();
      silence.stop();
      recorder.stop();
    },
  };
}

function findByPeer(sessions: readonly NodeSession[], peer: string | undefined): NodeSession | undefined {
  return peer === undefined ? undefined : sessions.findLast(session => session.peer === peer);
}

/** The node that a stream is for, if its caller may be that. */
function firstNode(request: DiscoveryRequest, right: NodeRight): NodeIdentity {
  if (request.node === undefined)
    throw new XdsError('node-id-missing', 'the first request of a stream has no node');
  const node = decodeNode(request.node);
  demand(right, node.id);
  return right.claims === 'ignored' ? { ...node, claims: 'ignored' } : node;
}

interface Joined {
  readonly session: NodeSession;
  readonly isNew: boolean;
}

/** A node that is connected: all Envoys that say they are it. */
class Seat implements Served {
  readonly nodeId: string;
  sessions: readonly NodeSession[] = NO_SESSIONS;
  /** As it was last told; undefined: it is to be asked for. */
  snapshot: Snapshot | undefined;
  /** What a node said that gets this snapshot by that; undefined: it is not known. */
  madeFor: object | undefined;
  isDue = false;

  constructor(nodeId: string) {
    this.nodeId = nodeId;
  }
}

/** The streams of an Envoy, and the node that they are for. */
class NodeSession {
  readonly node: NodeIdentity;
  readonly streams: Session;
  readonly peer: string | undefined;
  /** ms */
  readonly openedAt: number;
  readonly seat: Seat;
  /** The name of its process is durable. */
  named = false;

  constructor(node: NodeIdentity, streams: Session, peer: string | undefined, openedAt: number, seat: Seat) {
    this.seat = seat;
    this.node = node;
    this.streams = streams;
    this.peer = peer;
    this.openedAt = openedAt;
  }

  onSnapshot(snapshot: Snapshot): void {
    if (!this.named) return;
    // So it is of an Envoy that has its name to itself. To ask the compiler took half a microsecond of each push.
    const isOurs = snapshot === this.seat.snapshot && this.seat.madeFor === this.node;
    if (isOurs || snapshot.serves(this.node)) this.streams.onSnapshot(snapshot);
  }
}
