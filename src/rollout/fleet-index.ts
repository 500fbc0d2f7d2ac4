import { toEffectivePresence } from '../model/effective-node.ts';
import type { NodePolicy } from '../model/fleet-records.ts';
import { lastAckOf } from '../model/last-ack.ts';
import type { NodePresence } from '../model/node.ts';
import type { NodeVerdict } from '../model/node-verdict.ts';
import type { PluginName } from '../model/plugin-spec.ts';
import { ChangeLog } from './change-log.ts';
import { FleetNode } from './fleet-node.ts';

/** When we stop, all nodes go; if we are killed again before all are back, some have been gone for this long. */
const STOPPING_MS = 60_000;

const NO_VERDICTS: readonly NodeVerdict[] = [];

/** The known nodes with what they said. */
export class FleetIndex {
  readonly #nodes = new Map<string, FleetNode>();
  /** As the nodes say it of themselves. */
  readonly #claimed = new Map<string, NodePresence>();
  readonly #policies = new Map<string, NodePolicy>();
  /** Of nodes that are not known yet, or not any more. */
  readonly #early = new Map<string, readonly NodeVerdict[]>();
  readonly #refusing = new Set<string>();
  /** What a decision would look at anew. */
  readonly changes = new ChangeLog();

  get nodes(): ReadonlyMap<string, FleetNode> {
    return this.#nodes;
  }

  /** Ids of nodes with a verdict that tells of a refusal. */
  get refusing(): ReadonlySet<string> {
    return this.#refusing;
  }

  /** False: nothing changed that decides anything (the time of its last ACK does not). */
  setPresence(id: string, claimed: NodePresence | undefined): boolean {
    const known = this.#nodes.get(id);
    if (claimed === undefined) {
      this.#claimed.delete(id);
      this.changes.note(id);
      if (known !== undefined && known.verdicts.length > 0) this.#early.set(id, known.verdicts);
      return this.#nodes.delete(id);
    }
    this.#claimed.set(id, claimed);
    const presence = toEffectivePresence(claimed, this.#policies.get(id));
    const isNews = known === undefined || !isSameToDecide(known.presence, presence);
    if (known === undefined) {
      this.#nodes.set(id, new FleetNode(presence, this.#early.get(id) ?? NO_VERDICTS));
      this.#early.delete(id);
    } else known.takePresence(presence, !isNews);
    // Before 1.39 the last ACK tells how long a place is waited for.
    if (isNews || !presence.node.capabilities.filterChain) this.changes.note(id);
    return isNews;
  }

  /** False: the node is what it was. */
  setPolicy(id: string, policy: NodePolicy | undefined): boolean {
    if (policy === undefined) this.#policies.delete(id);
    else this.#policies.set(id, policy);
    const claimed = this.#claimed.get(id);
    return claimed !== undefined && this.setPresence(id, claimed);
  }

  /** Adds the plugins that it is about, now or before, to `concerned`, where somebody wants to know. */
  setVerdict(key: string, verdict: NodeVerdict | undefined, concerned: Set<PluginName> | undefined): void {
    const { node: id, slot } = verdict ?? parseVerdictKey(key);
    const known = this.#nodes.get(id);
    const before = known?.verdicts ?? this.#early.get(id) ?? NO_VERDICTS;
    const index = before.findIndex(one => one.slot === slot);
    const verdicts = replaceAt(before, index, verdict);
    if (known !== undefined) known.takeVerdicts(verdicts);
    else if (verdicts.length === 0) this.#early.delete(id);
    else this.#early.set(id, verdicts);
    const was = before[index];
    if (verdict?.refused != null || was?.refused != null) this.#noteRefusals(id, verdicts);
    this.changes.note(id);
    if (concerned === undefined) return;
    addMentioned(concerned, was);
    addMentioned(concerned, verdict);
  }

  /** Marks who was connected when our last run ended, killed or not, by what it left in the store. */
  expectConnected(): void {
    let lastSign = 0;
    for (const { presence, verdicts } of this.#nodes.values())
      lastSign = Math.max(lastSign, presence.since, lastAckOf(presence, verdicts) ?? 0);
    for (const [id, node] of this.#nodes) {
      const { connected, since } = node.presence;
      node.expected = connected || since >= lastSign - STOPPING_MS;
      this.changes.note(id);
    }
  }

  #noteRefusals(id: string, verdicts: readonly NodeVerdict[]): void {
    if (verdicts.some(({ refused }) => refused !== null)) this.#refusing.add(id);
    else this.#refusing.delete(id);
  }
}

function parseVerdictKey(key: string): Pick<NodeVerdict, 'node' | 'slot'> {
  const end = key.indexOf('\n');
  return { node: key.slice(0, end), slot: key.slice(end + 1) };
}

/** `index` -1: it is a new one; undefined: it goes. */
function replaceAt(
  verdicts: readonly NodeVerdict[],
  index: number,
  verdict: NodeVerdict | undefined,
): readonly NodeVerdict[] {
  if (verdict === undefined) return verdicts.filter((_one, at) => at !== index);
  return index === -1 ? [...verdicts, verdict] : verdicts.with(index, verdict);
}

function isSameToDecide(a: NodePresence, b: NodePresence): boolean {
  if (a.process !== b.process || a.connected !== b.connected || a.since !== b.since) return false;
  if (a.silentSince !== b.silentSince) return false;
  return isSameValue(a.slots, b.slots) && isSameValue(a.nacks, b.nacks) && isSameValue(a.node, b.node);
}

/** Of JSON. */
function isSameValue(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length || Array.isArray(a) !== Array.isArray(b)) return false;
  return keys.every(
    key => Object.hasOwn(b, key) && isSameValue(a[key as keyof typeof a], b[key as keyof typeof b]),
  );
}

function addMentioned(plugins: Set<PluginName>, verdict: NodeVerdict | undefined): void {
  if (verdict === undefined) return;
  const { tried, accepted, refused } = verdict;
  if (tried !== null) for (const { plugin } of tried.plugins) plugins.add(plugin);
  if (accepted !== null) for (const { plugin } of accepted.plugins) plugins.add(plugin);
  if (refused?.plugin !== undefined) plugins.add(refused.plugin);
}
