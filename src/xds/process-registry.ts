import { makeCapability } from '../model/module-fetch.ts';
import type { NodeIdentity, NodePresence } from '../model/node.ts';
import type { NodeVerdict } from '../model/node-verdict.ts';
import { type AcceptedAt, restoreAcceptedAt } from './accepted-at.ts';
import { type LoadedProof, newProof, restoreProof } from './loaded/loaded-proof.ts';
import { newProcess, type ProcessState } from './push/process-machine.ts';
import type { FormerSet } from './sotw/resource-set.ts';
import { type Doubts, doubt, EVERY, NO_DOUBTS } from './stream/doubts.ts';
import { restoreSlot } from './verdict-record.ts';

/** One run of an Envoy: the state of its push protocol, and the stream that it has now. */
export interface Process {
  /** 16 hex digits. */
  readonly id: string;
  readonly nodeId: string;
  state: ProcessState;
  /** When it accepted what stands in its slots. */
  readonly acceptedAt: AcceptedAt;
  /** What its stats prove beyond what it answered. */
  proof: LoadedProof;
  connected: boolean;
  /** It had a stream before this one, or before our restart. */
  connectedBefore: boolean;
  /** Of the last few modules. */
  capabilities: readonly Capability[];
  /** What it may have otherwise than it will say. */
  doubts: Doubts;
  /** For clients of the state of the world: what each version stood for that they ACKed. */
  slotVersions: Map<string, ReadonlyMap<string, string>> | undefined;
  /** For them as well: by type what they had when the stream before this one ended. */
  formerSets: ReadonlyMap<string, FormerSet | undefined>;
  /** Places in which whoever asks for them without a version was surely never answered, new or not. */
  unanswered: ReadonlySet<string>;
  /** Another Envoy was connected with its node.id at the same time: either of them may come back. */
  shared: boolean;
}

interface Capability {
  readonly moduleSha256: string;
  readonly text: string;
}

/** In so many modules of a process a capability is looked for before it is made again, which takes 5 µs. */
const MOST_CAPABILITIES = 64;
const NO_CAPABILITIES: readonly Capability[] = [];
const NO_FORMER_SETS: Process['formerSets'] = new Map();
const NO_PLACES: ReadonlySet<string> = new Set();

/**
 * The processes by node. A process outlives its stream and our own restart, so that a reconnect is recognised;
 * a stream that brings no versions begins a new one.
 */
export class ProcessRegistry {
  readonly #byNode = new Map<string, Process>();
  readonly #byId = new Map<string, Process>();
  /** By node: processes of the time before our start that nobody has asked for yet. */
  readonly #remembered = new Map<string, Remembered>();
  /** The node of each of them. */
  readonly #rememberedIds = new Map<string, string>();

  /**
   * What the store remembers of the time before our start. Each process is made when it is asked for: most of 10,000 nodes
   * come back later or never, and all of them took 100 ms and 15 MB at once.
   */
  restore(presences: readonly NodePresence[], verdicts: readonly NodeVerdict[]): void {
    for (const presence of presences) {
      this.#remembered.set(presence.node.id, { presence, verdicts: [] });
      this.#rememberedIds.set(presence.process, presence.node.id);
    }
    for (const verdict of verdicts) {
      const remembered = this.#remembered.get(verdict.node);
      if (remembered?.presence.process === verdict.process) remembered.verdicts.push(verdict);
    }
  }

  /** The process of a new stream. A process that still has a stream keeps it: the new one is another. */
  attach(node: NodeIdentity, fresh: boolean, newId: () => string): Process {
    const known = this.current(node.id);
    const process =
      known !== undefined && !fresh && !known.connected
        ? known
        : this.#add(newProcessOf(node, newId(), fresh));
    process.connected = true;
    return process;
  }

  /** The node's newest process has gone, and this one is still there. */
  handOver(process: Process): void {
    this.#byNode.set(process.nodeId, process);
  }

  byId(id: string): Process | undefined {
    const nodeId = this.#rememberedIds.get(id);
    return nodeId === undefined ? this.#byId.get(id) : this.current(nodeId);
  }

  /** The process that a node's records are about. */
  current(nodeId: string): Process | undefined {
    const remembered = this.#remembered.get(nodeId);
    if (remembered === undefined) return this.#byNode.get(nodeId);
    this.#dismiss(nodeId, remembered);
    return this.#add(restoreProcess(remembered));
  }

  /** The node comes back as a new one. Not for a node that is connected. */
  forget(nodeId: string): void {
    const remembered = this.#remembered.get(nodeId);
    if (remembered !== undefined) this.#dismiss(nodeId, remembered);
    const process = this.#byNode.get(nodeId);
    if (process === undefined) return;
    this.#byNode.delete(nodeId);
    this.#byId.delete(process.id);
  }

  /** A process that is not its node's newest is forgotten with its stream. */
  detach(process: Process): void {
    process.connected = false;
    process.connectedBefore = true;
    if (this.#byNode.get(process.nodeId) !== process) this.#byId.delete(process.id);
  }

  #dismiss(nodeId: string, { presence }: Remembered): void {
    this.#remembered.delete(nodeId);
    this.#rememberedIds.delete(presence.process);
  }

  #add(process: Process): Process {
    const old = this.#byNode.get(process.nodeId);
    if (old !== undefined && !old.connected) this.#byId.delete(old.id);
    this.#byNode.set(process.nodeId, process);
    this.#byId.set(process.id, process);
    return process;
  }
}

/** What the store says of a process. */
interface Remembered {
  readonly presence: NodePresence;
  readonly verdicts: NodeVerdict[];
}

function restoreProcess({ presence, verdicts }: Remembered): Process {
  const { node, process, nacks, shared = false } = presence;
  const slots = new Map(verdicts.map(verdict => [verdict.slot, restoreSlot(verdict)]));
  const known = newProcessOf(node, process, false, restoreAcceptedAt(verdicts, slots));
  known.connectedBefore = true;
  known.shared = shared;
  known.state = { ...known.state, slots, known: true };
  known.proof = restoreProof(verdicts);
  // What else was in the response is not recorded.
  for (const { typeUrl } of nacks) known.doubts = doubt(known.doubts, typeUrl, [EVERY]);
  return known;
}

function newProcessOf(
  node: NodeIdentity,
  id: string,
  fresh: boolean,
  acceptedAt: AcceptedAt = new Map(),
): Process {
  const bootstrapDenies = node.bootstrap.unanswered === 'deny';
  return {
    id,
    nodeId: node.id,
    state: newProcess({ fresh, bootstrapDenies }),
    acceptedAt,
    proof: newProof(fresh),
    connected: false,
    connectedBefore: false,
    doubts: NO_DOUBTS,
    capabilities: NO_CAPABILITIES,
    slotVersions: undefined,
    formerSets: NO_FORMER_SETS,
    unanswered: NO_PLACES,
    shared: false,
  };
}

/** The capability of this process for a module; made once while the module is among the last ones. */
export function capabilityOf(process: Process, key: Uint8Array, moduleSha256: string): string {
  const known = process.capabilities.find(it => it.moduleSha256 === moduleSha256);
  if (known !== undefined) return known.text;
  const text = makeCapability(key, process.nodeId, process.id, moduleSha256);
  process.capabilities = [{ moduleSha256, text }, ...process.capabilities.slice(0, MOST_CAPABILITIES - 1)];
  return text;
}
