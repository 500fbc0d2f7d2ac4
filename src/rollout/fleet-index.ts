import { toEffectivePresence } from '../model/effective-node.ts';
import type { NodePolicy } from '../model/fleet-records.ts';
import type { NodePresence } from '../model/node.ts';
import type { NodeVerdict } from '../model/node-verdict.ts';
import type { PluginName } from '../model/plugin-spec.ts';
import type { FleetNode } from './rollout-facts.ts';

/** When we stop, all nodes go; if we are killed again before all are back, some have been gone for this long. */
const STOPPING_MS = 60_000;

/** The known nodes with what they said. */
export class FleetIndex {
  readonly #nodes = new Map<string, FleetNode>();
  /** As the nodes say it of themselves. */
  readonly #claimed = new Map<string, NodePresence>();
  readonly #policies = new Map<string, NodePolicy>();
  /** By node, by key. */
  readonly #verdicts = new Map<string, Map<string, NodeVerdict>>();

  get nodes(): ReadonlyMap<string, FleetNode> {
    return this.#nodes;
  }

  /** False: nothing changed that decides anything (the time of its last ACK does not). */
  setPresence(id: string, claimed: NodePresence | undefined): boolean {
    const known = this.#nodes.get(id);
    if (claimed === undefined) {
      this.#claimed.delete(id);
      return this.#nodes.delete(id);
    }
    this.#claimed.set(id, claimed);
    const presence = toEffectivePresence(claimed, this.#policies.get(id));
    const expected = known?.expected ?? false;
    this.#nodes.set(id, { presence, verdicts: this.#verdictsOf(id), expected });
    return toDeciding(known?.presence) !== toDeciding(presence);
  }

  /** False: the node is what it was. */
  setPolicy(id: string, policy: NodePolicy | undefined): boolean {
    if (policy === undefined) this.#policies.delete(id);
    else this.#policies.set(id, policy);
    const claimed = this.#claimed.get(id);
    return claimed !== undefined && this.setPresence(id, claimed);
  }

  /** Answers the plugins that it is about, now or before. */
  setVerdict(key: string, verdict: NodeVerdict | undefined): readonly PluginName[] {
    const id = key.slice(0, key.indexOf('\n'));
    const ofNode = this.#verdicts.get(id) ?? new Map<string, NodeVerdict>();
    const was = ofNode.get(key);
    if (verdict === undefined) ofNode.delete(key);
    else ofNode.set(key, verdict);
    if (ofNode.size === 0) this.#verdicts.delete(id);
    else this.#verdicts.set(id, ofNode);
    const known = this.#nodes.get(id);
    if (known !== undefined) this.#nodes.set(id, { ...known, verdicts: this.#verdictsOf(id) });
    return [...new Set([...mentionedIn(was), ...mentionedIn(verdict)])];
  }

  /** Marks who was connected when our last run ended, killed or not, by what it left in the store. */
  expectConnected(): void {
    const presences = [...this.#nodes.values()].map(({ presence }) => presence);
    const lastSign = presences.reduce((at, { since, lastAckAt = 0 }) => Math.max(at, since, lastAckAt), 0);
    for (const [id, node] of this.#nodes) {
      const { connected, since } = node.presence;
      this.#nodes.set(id, { ...node, expected: connected || since >= lastSign - STOPPING_MS });
    }
  }

  #verdictsOf(id: string): readonly NodeVerdict[] {
    return [...(this.#verdicts.get(id)?.values() ?? [])];
  }
}

function toDeciding(presence: NodePresence | undefined): string {
  if (presence === undefined) return '';
  const { node, process, connected, since, silentSince, slots, nacks } = presence;
  return JSON.stringify([node, process, connected, since, silentSince, slots, nacks]);
}

function mentionedIn(verdict: NodeVerdict | undefined): readonly PluginName[] {
  const { tried, accepted, refused } = verdict ?? {};
  const plugins = [...(tried?.plugins ?? []), ...(accepted?.plugins ?? [])].map(({ plugin }) => plugin);
  return refused?.plugin === undefined ? plugins : [...plugins, refused.plugin];
}
