import type { ConnectedEnvoy, NodeIdentity, NodePresence, ResourceNack } from '../model/node.ts';
import type { NodeVerdict } from '../model/node-verdict.ts';
import type { RandomHex } from '../model/ports.ts';
import { eventKey, verdictKey } from '../store/record-kinds.ts';
import type { Records, WritableKind } from '../store/store.ts';
import type { LoadedPart } from './loaded/loaded-parts.ts';
import type { Process } from './process-registry.ts';
import type { SlotState } from './push/slot-state.ts';
import { toVerdict } from './verdict-record.ts';

/** Coalesces: what is put within an interval is one transaction, the last value per key wins. */
export interface CoalescedPut {
  put<K extends WritableKind>(kind: K, key: string, value: Records[K]): void;
  delete(kind: WritableKind, key: string): void;
  /** Calls back once what was put before is durable. */
  afterWrite(callback: () => void): void;
}

/** Writes what was observed: NodePresence, NodeVerdict and their events. Never costs a commit each. */
export class NodeRecorder {
  readonly #writer: CoalescedPut;
  readonly #random: RandomHex;
  readonly #presences: Map<string, NodePresence>;
  readonly #verdicts: Map<string, NodeVerdict>;
  /** The slots that were recorded, each with what was proven of it then. */
  #seen = new WeakMap<SlotState, ReadonlyMap<string, LoadedPart> | 'nothing'>();

  constructor(
    writer: CoalescedPut,
    random: RandomHex,
    presences: readonly NodePresence[],
    verdicts: readonly NodeVerdict[],
  ) {
    this.#writer = writer;
    this.#random = random;
    this.#presences = new Map(presences.map(presence => [presence.node.id, presence]));
    this.#verdicts = new Map(verdicts.map(verdict => [verdictKey(verdict.node, verdict.slot), verdict]));
  }

  /** At our start nobody is connected yet, whatever the records say. */
  forgetConnections(now: number): void {
    for (const presence of this.#presences.values()) this.#gone(presence, now);
  }

  connected(node: NodeIdentity, process: Process, now: number): void {
    this.#present(node, process, now, now);
    this.event('node.connected', node.id, `${node.id} connected, Envoy ${node.envoyVersion}`, now);
  }

  /** Of two Envoys with one node.id the newer one has gone: from now on the records are about the other one. */
  handedOver(node: NodeIdentity, process: Process, since: number, now: number): void {
    this.#present(node, process, since, now);
    this.#seen = new WeakMap();
    this.slots(process, now);
  }

  /** All Envoys that are connected with this node.id. */
  sharedBy(nodeId: string, envoys: readonly ConnectedEnvoy[], now: number): void {
    const presence = this.#presences.get(nodeId);
    if (presence === undefined) return;
    const { envoys: before, ...rest } = presence;
    if (envoys.length < 2) {
      if (before !== undefined) this.#put(rest);
      return;
    }
    this.#put({ ...rest, envoys });
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

  disconnected(nodeId: string, process: Process, now: number): void {
    const known = this.#presences.get(nodeId);
    if (known === undefined || known.process !== process.id || !known.connected) return;
    this.#gone(known, now);
    this.event('node.disconnected', nodeId, `${nodeId} disconnected`, now);
  }

  /** Any ACK of any type: the record is touched at most once a second. */
  acked(nodeId: string, now: number): void {
    const known = this.#presences.get(nodeId);
    if (known !== undefined && now - (known.lastAckAt ?? 0) >= 1000) this.#put({ ...known, lastAckAt: now });
  }

  /** Since when it owes an answer; undefined: it owes none, or not for long enough to be called silent. */
  silent(process: Process, since: number | undefined): void {
    const known = this.#presences.get(process.nodeId);
    if (known?.process !== process.id || !known.connected || known.silentSince === since) return;
    const { silentSince: _, ...rest } = known;
    this.#put(since === undefined ? rest : { ...rest, silentSince: since });
  }

  nacks(nodeId: string, process: Process, nacks: readonly ResourceNack[]): void {
    const known = this.#presences.get(nodeId);
    if (known?.process !== process.id || JSON.stringify(known.nacks) === JSON.stringify(nacks)) return;
    this.#put({ ...known, nacks });
  }

  /** Writes the slots whose state changed since the last call. */
  slots(process: Process, now: number): void {
    if (this.#presences.get(process.nodeId)?.process !== process.id) return;
    const names: string[] = [];
    for (const [slot, state] of process.state.slots) {
      if (state.subscribed) names.push(slot);
      const loaded = process.proof.loaded.get(slot);
      if (this.#seen.get(state) === (loaded ?? 'nothing')) continue;
      this.#seen.set(state, loaded ?? 'nothing');
      this.#verdict(process, state, now, loaded);
    }
    const known = this.#presences.get(process.nodeId);
    if (known?.connected === true && known.slots.join('\n') !== names.join('\n'))
      this.#put({ ...known, slots: names });
  }

  event(type: string, node: string, message: string, at: number): void {
    this.#writer.put('Event', eventKey(at, this.#random(4)), { type, node, message, at });
  }

  /** The node is gone: nothing of it is kept. */
  forget(nodeId: string): void {
    if (!this.#presences.delete(nodeId)) return;
    this.#writer.delete('NodePresence', nodeId);
    for (const [key, verdict] of this.#verdicts) {
      if (verdict.node !== nodeId) continue;
      this.#verdicts.delete(key);
      this.#writer.delete('NodeVerdict', key);
    }
  }

  presences(): IterableIterator<NodePresence> {
    return this.#presences.values();
  }

  presence(nodeId: string): NodePresence | undefined {
    return this.#presences.get(nodeId);
  }

  verdict(nodeId: string, slot: string): NodeVerdict | undefined {
    return this.#verdicts.get(verdictKey(nodeId, slot));
  }

  #verdict(
    process: Process,
    state: SlotState,
    now: number,
    loaded: ReadonlyMap<string, LoadedPart> | undefined,
  ): void {
    const key = verdictKey(process.nodeId, state.slot);
    const previous = this.#verdicts.get(key);
    const next = toVerdict(process.nodeId, process.id, state, previous, now, loaded);
    if (JSON.stringify(next) === JSON.stringify(previous)) return;
    this.#verdicts.set(key, next);
    this.#writer.put('NodeVerdict', key, next);
    if (next.refused !== null && next.refused.at !== previous?.refused?.at)
      this.event(
        'node.refused',
        process.nodeId,
        `${next.refused.plugin ?? 'a plugin'}: ${next.refused.message}`,
        now,
      );
  }

  #present(node: NodeIdentity, process: Process, since: number, now: number): void {
    const known = this.#presences.get(node.id);
    const isSame = known?.process === process.id;
    this.#put({
      node,
      process: process.id,
      connected: true,
      since,
      ...(known?.lastAckAt === undefined ? {} : { lastAckAt: known.lastAckAt }),
      firstSeenAt: known?.firstSeenAt ?? now,
      slots: isSame ? known.slots : [],
      nacks: isSame ? known.nacks : [],
      ...(known?.envoys === undefined ? {} : { envoys: known.envoys }),
    });
  }

  #gone({ silentSince: _, envoys: _envoys, ...known }: NodePresence, now: number): void {
    if (known.connected) this.#put({ ...known, connected: false, since: now });
  }

  #put(presence: NodePresence): void {
    this.#presences.set(presence.node.id, presence);
    this.#writer.put('NodePresence', presence.node.id, presence);
  }
}
