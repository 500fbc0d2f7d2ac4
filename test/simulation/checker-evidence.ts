import { isProbe, type NodeView, pluginIn, revisionsIn } from './checker-node.ts';
import type { PluginBelief } from './checker-plugin.ts';
import { PROBE_MODULE, type WirePlace } from './envoy-bytes.ts';
import type { WireEvent } from './wire.ts';

/** A GET that comes later than this after a NACK is none of its. */
const GET_GRACE_MS = 1000;
/** A record of it is safe after this. */
const RECORDED_MS = 300;
/** Stats in a row that leave no doubt, and the time that everybody may take over them. */
const BAD_STATS = 5;
const CLEAN_BEFORE_MS = 80_000;

interface Try {
  readonly content: WirePlace;
  readonly at: number;
  readonly isProbe: boolean;
  hasGet: boolean;
}

/** Whom the evidence is for. */
interface Told {
  /** It refused, and nothing can make that forgotten. */
  refused(node: NodeView, plugin: string, revision: number, at: number): void;
  /** The same, perhaps lost by a kill. */
  suspected(node: NodeView, plugin: string, revision: number): void;
}

/** What is known of a NACK whose GET may still be on its way. */
interface Pending {
  readonly node: NodeView;
  readonly place: string;
  readonly tried: Try;
  readonly plugin: string;
  readonly revision: number;
  readonly dueAt: number;
  readonly isConfirmed: boolean;
}

/**
 * What Envoys say and show of a plugin. A refusal, by docs/push-protocol.md: a NACK without a GET, a probe whose GET
 * arrives, and one more NACK of the same plugin without a GET.
 */
export class Evidence {
  readonly #to: Told;
  /** The last push of each place, by node and place. */
  readonly #tries = new Map<string, Try>();
  /** `plugin@revision` that a place refused once, and whether the probe was asked for since. */
  readonly #suspects = new Map<
    string,
    { readonly what: string; readonly content: string; hasProbe: boolean }
  >();
  #pending: Pending[] = [];
  /** Refusals that a kill may still lose. */
  #fresh: { readonly at: number; readonly pending: Pending }[] = [];
  readonly #bad = new Map<string, { count: number; at: number }>();
  readonly #reloads = new Map<string, number>();

  constructor(to: Told) {
    this.#to = to;
  }

  onPush(node: NodeView, place: string, content: WirePlace, at: number): void {
    const key = `${node.facts.id} ${place}`;
    // Something else is wanted: what was NACKed before need not be judged any more.
    this.#pending = this.#pending.filter(pending => pending.node !== node || pending.place !== place);
    const suspect = this.#suspects.get(key);
    if (!isProbe(content) && suspect !== undefined && suspect.content !== toText(content))
      this.#suspects.delete(key);
    this.#tries.set(key, { content, at, isProbe: isProbe(content), hasGet: false });
  }

  onGet(node: NodeView, module: string, at: number): void {
    for (const [key, tried] of this.#tries) {
      if (!key.startsWith(`${node.facts.id} `)) continue;
      if (tried.content.parts.some(part => part.module === module)) tried.hasGet = true;
      const suspect = this.#suspects.get(key);
      if (module === PROBE_MODULE && tried.isProbe && suspect !== undefined) suspect.hasProbe = true;
    }
    this.#pending = this.#pending.filter(
      pending => pending.node !== node || at > pending.dueAt || !pending.tried.hasGet,
    );
  }

  onAnswer(node: NodeView, place: string, nack: string | undefined, at: number): void {
    const key = `${node.facts.id} ${place}`;
    const tried = this.#tries.get(key);
    if (tried === undefined || tried.isProbe) return;
    if (nack === undefined) {
      this.#suspects.delete(key);
      return;
    }
    const plugin = pluginIn(nack);
    const [revision] = revisionsIn(tried.content, plugin);
    if (revision === undefined || tried.hasGet) return;
    const suspect = this.#suspects.get(key);
    const isConfirmed = suspect?.what === `${plugin}@${revision}` && suspect.hasProbe;
    this.#pending.push({ node, place, tried, plugin, revision, dueAt: at + GET_GRACE_MS, isConfirmed });
  }

  /** What is in the middle of being judged is judged anew; a suspicion stays, as its process does. */
  onClosed(node: NodeView): void {
    this.#pending = this.#pending.filter(pending => pending.node !== node);
  }

  /** Another process begins. */
  onBegun(node: NodeView): void {
    for (const key of this.#suspects.keys())
      if (key.startsWith(`${node.facts.id} `)) this.#suspects.delete(key);
  }

  /** What was not recorded yet has to be found out again. */
  onKilled(at: number): void {
    this.#fresh = this.#fresh.filter(fresh => fresh.at <= at - RECORDED_MS);
    this.#pending = [];
    this.#suspects.clear();
    this.#bad.clear();
  }

  /** Time passed. */
  reach(at: number): void {
    if (this.#pending.some(pending => pending.dueAt < at)) this.#judge(at);
    if (this.#fresh.every(fresh => fresh.at > at - RECORDED_MS)) return;
    const safe = this.#fresh.filter(fresh => fresh.at <= at - RECORDED_MS);
    this.#fresh = this.#fresh.filter(fresh => fresh.at > at - RECORDED_MS);
    for (const { at: refusedAt, pending } of safe)
      this.#to.refused(pending.node, pending.plugin, pending.revision, refusedAt);
  }

  #judge(at: number): void {
    const over = this.#pending.filter(pending => pending.dueAt < at);
    this.#pending = this.#pending.filter(pending => pending.dueAt >= at);
    for (const pending of over) {
      const { node, place, plugin, revision, dueAt, isConfirmed, tried } = pending;
      const key = `${node.facts.id} ${place}`;
      if (tried.hasGet) continue;
      if (isConfirmed) {
        this.#fresh.push({ at: dueAt, pending });
        this.#to.suspected(node, plugin, revision);
      } else
        this.#suspects.set(key, {
          what: `${plugin}@${revision}`,
          content: toText(tried.content),
          hasProbe: false,
        });
    }
  }

  onStats(
    node: NodeView,
    stats: WireEvent & { type: 'stats' },
    at: number,
    plugins: Iterable<PluginBelief>,
    upSince: number | undefined,
  ): void {
    const { id } = node.facts;
    const isBad = stats.errors5xx >= stats.requests / 2;
    const known = this.#bad.get(id);
    const inRow = isBad && known !== undefined && at - known.at <= 6_000;
    const bad = { count: isBad ? (inRow ? known.count + 1 : 1) : 0, at };
    this.#bad.set(id, bad);
    const here = [...plugins].filter(plugin => plugin.rollout?.touched.has(id) === true);
    for (const plugin of here) {
      this.#onReloads(node, plugin, stats.reloads[plugin.name] ?? 0, at);
      if (stats.errors5xx > 0) plugin.onSuspicion(`errors on ${id}`, at);
      const movedAt = plugin.rollout?.touched.get(id)?.ackedAt ?? at;
      const isAlone =
        here.length === 1 && node.lastErrorAt < movedAt && movedAt - (upSince ?? at) >= CLEAN_BEFORE_MS;
      if (bad.count >= BAD_STATS && isAlone) this.#onErrors(node, plugin, at);
    }
    if (stats.errors5xx > 0) node.lastErrorAt = Math.max(node.lastErrorAt, at);
  }

  #onErrors(_node: NodeView, _plugin: PluginBelief, _at: number): void {}

  #onReloads(node: NodeView, plugin: PluginBelief, count: number, at: number): void {
    const key = `${node.facts.id} ${plugin.name}`;
    const before = this.#reloads.get(key) ?? 0;
    this.#reloads.set(key, count);
    if (count > before) plugin.onSuspicion(`${plugin.name} crashes on ${node.facts.id}`, at);
  }
}

function toText({ parts }: WirePlace): string {
  return parts.map(({ plugin, revision }) => `${plugin}@${revision}`).join(' ');
}
