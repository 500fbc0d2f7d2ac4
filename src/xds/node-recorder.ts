import { tellsByPlaces } from '../model/last-ack.ts';
import type { ConnectedEnvoy, NodeIdentity, NodePresence, ResourceNack } from '../model/node.ts';
import type { NodeVerdict } from '../model/node-verdict.ts';
import { ofEach } from '../model/of-each.ts';
import type { Clock, RandomHex } from '../model/ports.ts';
import { isSameList } from '../model/same-list.ts';
import { eventKey, verdictKey } from '../store/record-kinds.ts';
import type { Records, WritableKind } from '../store/store.ts';
import { noteAccepted } from './accepted-at.ts';
import {
  HeldVerdicts,
  isAnswer,
  isOnlySent,
  newRecord,
  saidOf,
  type VerdictRecord,
} from './held-verdicts.ts';
import type { LoadedParts } from './loaded/loaded-parts.ts';
import type { Process } from './process-registry.ts';
import type { SlotState } from './push/slot-state.ts';
import { changesOf } from './slot-changes.ts';
import { isSameVerdict, toVerdict } from './verdict-record.ts';

/** Coalesces: what is put within an interval is one transaction, the last value per key wins. */
export interface CoalescedPut {
  put<K extends WritableKind>(kind: K, key: string, value: Records[K]): void;
  delete(kind: WritableKind, key: string): void;
  /** Calls back once what was put before is durable. */
  afterWrite(callback: () => void): void;
}

/** What is recorded of a node. */
interface NodeRecord {
  presence: NodePresence;
  /** By slot. */
  readonly verdicts: Map<string, VerdictRecord>;
  /** What was looked at last; undefined: nothing that still counts. */
  seen: Seen | undefined;
}

/** Written over at each look: one for each would outlive two collections. */
interface Seen {
  readonly process: Process;
  slots: Slots;
  loaded: LoadedParts;
  connected: boolean;
}

type Slots = ReadonlyMap<string, SlotState>;

/** Writes what was observed: NodePresence, NodeVerdict and their events. Never costs a commit each. */
export class NodeRecorder {
  readonly #writer: CoalescedPut;
  readonly #random: RandomHex;
  readonly #held: HeldVerdicts;
  readonly #nodes = new Map<string, NodeRecord>();

  constructor(
    writer: CoalescedPut,
    clock: Clock,
    random: RandomHex,
    presences: readonly NodePresence[],
    verdicts: readonly NodeVerdict[],
  ) {
    this.#writer = writer;
    this.#random = random;
    this.#held = new HeldVerdicts(clock, (key, verdict) => writer.put('NodeVerdict', key, verdict));
    for (const presence of presences)
      this.#nodes.set(presence.node.id, { presence, verdicts: new Map(), seen: undefined });
    for (const value of verdicts)
      this.#nodes
        .get(value.node)
        ?.verdicts.set(value.slot, newRecord(verdictKey(value.node, value.slot), value));
  }

  /** At our start nobody is connected yet, whatever the records say. */
  forgetConnections(now: number): void {
    for (const record of this.#nodes.values()) this.#gone(record, now);
  }

  connected(node: NodeIdentity, process: Process, now: number): void {
    this.#present(node, process, now, now);
    this.event('node.connected', node.id, `${node.id} connected, Envoy ${node.envoyVersion}`, now);
  }

  /** Of two Envoys with one node.id the newer one has gone: from now on the records are about the other one. */
  handedOver(node: NodeIdentity, process: Process, since: number, now: number): void {
    this.#present(node, process, since, now).seen = undefined;
    this.slots(process, now);
  }

  /** All Envoys that are connected with this node.id. */
  sharedBy(nodeId: string, envoys: readonly ConnectedEnvoy[], now: number): void {
    const record = this.#nodes.get(nodeId);
    if (record === undefined || (envoys.length < 2 && record.presence.envoys === undefined)) return;
    const { envoys: before, ...rest } = record.presence;
    if (envoys.length < 2) {
      this.#put(record, rest);
      return;
    }
    this.#put(record, { ...rest, envoys });
    if (envoys.length <= (before?.length ?? 1)) return;
    const addresses = envoys.map(({ address }) => address).join(', ');
    const advice = 'unless one of them is about to go, give each a node.id of its own';
    const text = `${envoys.length} Envoys are connected as ${nodeId} (${addresses}): ${advice}`;
    this.event('node.shared', nodeId, text, now);
  }

  /** Calls back once what was recorded so far is durable. */
  whenDurable(callback: () => void): void {
    this.#writer.afterWrite(callback);
  }

  disconnected(process: Process, now: number): void {
    const record = this.#ofConnected(process);
    if (record === undefined) return;
    // Nothing of it is awaited any more.
    this.#held.flush(record.verdicts.values());
    this.#gone(record, now);
    this.event('node.disconnected', process.nodeId, `${process.nodeId} disconnected`, now);
  }

  /** An ACK: the record is touched at most once a second. `isProof`: of a place, whose own record tells of it. */
  acked(nodeId: string, now: number, isProof = false): void {
    const record = this.#nodes.get(nodeId);
    if (record === undefined || (isProof && tellsByPlaces(record.presence.node))) return;
    if (now - (record.presence.lastAckAt ?? 0) >= 1000)
      this.#put(record, { ...record.presence, lastAckAt: now });
  }

  /** Since when it owes an answer; undefined: it owes none, or not for long enough to be called silent. */
  silent(process: Process, since: number | undefined): void {
    const record = this.#ofConnected(process);
    if (record === undefined || record.presence.silentSince === since) return;
    const { silentSince: _, ...rest } = record.presence;
    this.#put(record, since === undefined ? rest : { ...rest, silentSince: since });
  }

  nacks(process: Process, nacks: readonly ResourceNack[]): void {
    const record = this.#of(process);
    if (record === undefined || nacks.length + record.presence.nacks.length === 0) return;
    if (JSON.stringify(record.presence.nacks) !== JSON.stringify(nacks))
      this.#put(record, { ...record.presence, nacks });
  }

  /** Writes the slots whose state changed since the last call; that a push is out only if no answer comes at once. */
  slots(process: Process, now: number): void {
    const { slots } = process.state;
    const { loaded } = process.proof;
    const record = this.#of(process);
    const seen = record?.seen?.process === process ? record.seen : undefined;
    const changes = changesOf(seen?.slots, slots);
    for (const { state, hasAccepted } of changes)
      if (hasAccepted) noteAccepted(process.acceptedAt, state, now);
    if (record === undefined) return;
    const { connected } = record.presence;
    if (seen?.slots === slots && seen.loaded === loaded && seen.connected === connected) return;
    const isSameLoaded = seen?.loaded === loaded;
    for (const { state, isPush } of changes) {
      const known = record.verdicts.get(state.slot);
      // What is in the record of a node that was not touched lately is far away: it is not looked at.
      if (isPush && isSameLoaded && connected && known !== undefined)
        this.#held.hold(known, process, state, now);
      else this.#verdict(record, process, state, now);
    }
    if (!isSameLoaded)
      for (const [slot, state] of slots)
        if (seen?.loaded.get(slot) !== loaded.get(slot)) this.#verdict(record, process, state, now);
    if (seen === undefined) record.seen = { process, slots, loaded, connected };
    else {
      seen.slots = slots;
      seen.loaded = loaded;
      seen.connected = connected;
    }
    if (connected) this.#recordNames(record, namesOf(slots));
  }

  event(type: string, node: string, message: string, at: number): void {
    this.#writer.put('Event', eventKey(at, this.#random(4)), { type, node, message, at });
  }

  /** The node is gone: nothing of it is kept. */
  forget(nodeId: string): void {
    const record = this.#nodes.get(nodeId);
    if (record === undefined) return;
    this.#nodes.delete(nodeId);
    this.#writer.delete('NodePresence', nodeId);
    for (const verdict of record.verdicts.values()) {
      this.#held.drop(verdict);
      this.#writer.delete('NodeVerdict', verdict.key);
    }
  }

  /** Writes at once what it holds back, and from now on everything. */
  stop(): void {
    this.#held.stop();
  }

  *presences(): IterableIterator<NodePresence> {
    for (const { presence } of this.#nodes.values()) yield presence;
  }

  presence(nodeId: string): NodePresence | undefined {
    return this.#nodes.get(nodeId)?.presence;
  }

  verdict(nodeId: string, slot: string): NodeVerdict | undefined {
    const record = this.#nodes.get(nodeId)?.verdicts.get(slot);
    return record && saidOf(record);
  }

  /** undefined: the records are about another process of its node. */
  #of(process: Process): NodeRecord | undefined {
    const record = this.#nodes.get(process.nodeId);
    return record?.presence.process === process.id ? record : undefined;
  }

  #ofConnected(process: Process): NodeRecord | undefined {
    const record = this.#of(process);
    return record?.presence.connected === true ? record : undefined;
  }

  #verdict({ presence, verdicts }: NodeRecord, process: Process, state: SlotState, now: number): void {
    const known = verdicts.get(state.slot);
    const previous = known && (isAnswer(known, process, state) ? undefined : saidOf(known));
    const next = toVerdict(process, state, previous, now, process.proof.loaded.get(state.slot));
    if (previous !== undefined && isSameVerdict(next, previous)) return;
    const record = known ?? newRecord(verdictKey(process.nodeId, state.slot));
    if (known === undefined) verdicts.set(state.slot, record);
    if (presence.connected && isOnlySent(next, previous)) {
      this.#held.hold(record, process, state, now);
      return;
    }
    this.#held.drop(record);
    record.value = next;
    this.#writer.put('NodeVerdict', record.key, next);
    if (next.refused !== null && next.refused.at !== previous?.refused?.at)
      this.event(
        'node.refused',
        process.nodeId,
        `${next.refused.plugin ?? 'a plugin'}: ${next.refused.message}`,
        now,
      );
  }

  #recordNames(record: NodeRecord, slots: readonly string[]): void {
    if (!isSameList(record.presence.slots, slots)) this.#put(record, { ...record.presence, slots });
  }

  #present(node: NodeIdentity, process: Process, since: number, now: number): NodeRecord {
    const record = this.#nodes.get(node.id);
    const known = record?.presence;
    const isSame = known?.process === process.id;
    const presence: NodePresence = {
      node,
      process: process.id,
      connected: true,
      since,
      ...(known?.lastAckAt === undefined ? {} : { lastAckAt: known.lastAckAt }),
      firstSeenAt: known?.firstSeenAt ?? now,
      slots: isSame ? known.slots : [],
      nacks: isSame ? known.nacks : [],
      ...(known?.envoys === undefined ? {} : { envoys: known.envoys }),
      ...(process.shared ? { shared: true } : {}),
    };
    const next = record ?? { presence, verdicts: new Map<string, VerdictRecord>(), seen: undefined };
    this.#nodes.set(node.id, next);
    this.#put(next, presence);
    return next;
  }

  #gone(record: NodeRecord, now: number): void {
    const { silentSince: _, envoys: _envoys, ...known } = record.presence;
    if (known.connected) this.#put(record, { ...known, connected: false, since: now });
  }

  #put(record: NodeRecord, presence: NodePresence): void {
    record.presence = presence;
    this.#writer.put('NodePresence', presence.node.id, presence);
  }
}

/** A fleet has its places together, and so their names: see fleet-steps.ts. Made for each node they took 9 µs of its connect. */
const namesOf = ofEach((slots: Slots): readonly string[] =>
  [...slots.values()].flatMap(({ slot, subscribed }) => (subscribed ? [slot] : [])),
);
