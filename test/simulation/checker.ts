import { Evidence } from './checker-evidence.ts';
import {
  isProbe,
  isSameContent,
  isSamePart,
  NodeView,
  type PlaceView,
  pluginIn,
  revisionsIn,
} from './checker-node.ts';
import { PluginBelief } from './checker-plugin.ts';
import { aimOn, TAKEN_IN_MS } from './checker-rollout.ts';
import type { WirePlace } from './envoy-bytes.ts';
import { type Fleet, type Report, toText } from './rollout-belief.ts';
import { type Deed, type ListenerOnWire, toTime, type WireEvent, type Witness } from './wire.ts';

/** After Envoy's confirming answer everybody who was moved is back in this time. */
const BACK_WITHIN_MS = 6_000;
/** After its start Attaché waits for its nodes for a minute. */
const SETTLING_MS = 61_000;
/** What was recorded so long before a kill is known after it. */
const DURABLE_MS = 500;

/**
 * Judges a story by the wire, the documents and the verbs, and by nothing else: it imports nothing of src/rollout and
 * reads no record. What it believes is in checker-plugin.ts; what it holds against pushes that carry nothing new is here.
 */
export class Checker implements Witness {
  readonly violations: string[] = [];
  readonly #nodes = new Map<string, NodeView>();
  readonly #plugins = new Map<string, PluginBelief>();
  readonly #evidence: Evidence;
  /** Attaché's lives so far. */
  #life = 0;
  #upSince: number | undefined;
  #listenerVersion = 1;
  #now = 0;
  /** What must be so at a time. */
  #due: { readonly at: number; readonly check: () => void }[] = [];

  constructor() {
    this.#evidence = new Evidence({
      refused: (node, plugin, revision, at) => this.#onRefusal(node, plugin, revision, at),
      suspected: (node, plugin, revision) => {
        node.refused.add(`${plugin}@${revision}`);
        node.refusedAt = this.#now;
        this.#plugin(plugin).onSuspicion(`${node.facts.id} refused ${revision}`, this.#now, revision);
      },
    });
  }

  onDeed(at: number, deed: Deed): void {
    this.#reach(at);
    switch (deed.type) {
      case 'killed':
        this.#onKilled(at);
        return;
      case 'started':
        this.#life += 1;
        this.#upSince = at;
        return;
      case 'frozen':
      case 'unfrozen':
        for (const plugin of this.#plugins.values()) plugin.onFrozen(deed.type === 'frozen', at);
        this.#isFrozen = deed.type === 'frozen';
        return;
      case 'excluded':
      case 'included':
        this.#onPolicy(deed.node, deed.type === 'excluded', at);
        return;
      case 'listener-changed':
        this.#listenerVersion += 1;
        return;
      default:
        this.#plugin(deed.plugin).onDeed(deed, at);
        if (deed.type === 'verb' && (deed.action === 'abort' || deed.action === 'undo'))
          this.#expectBack(deed.plugin, at);
    }
  }

  onWire(at: number, event: WireEvent): void {
    this.#reach(at);
    if (event.type === 'opened') {
      this.#onOpened(event, at);
      return;
    }
    const node = this.#nodes.get(event.node);
    if (node === undefined) return;
    switch (event.type) {
      case 'closed':
        node.close(at);
        this.#evidence.onClosed(node);
        for (const plugin of this.#plugins.values()) plugin.onGone(at);
        return;
      case 'brings':
        this.#onVersions(node, event.versions, at);
        return;
      case 'place':
        this.#onPlacePush(node, event.place, event.content, event.version, at);
        return;
      case 'listeners':
        this.#onListeners(node, event.listeners, event.removed, at);
        return;
      case 'answer':
        this.#onAnswer(node, event.to, event.nack, at);
        return;
      case 'unsubscribed':
        node.letGo = { at, life: this.#life };
        for (const place of event.places) node.places.delete(place);
        return;
      case 'get':
        this.#evidence.onGet(node, event.module, at);
        return;
      case 'stats':
        this.#evidence.onStats(node, event, at, this.#plugins.values(), this.#upSince);
        return;
      case 'other':
        return;
      default:
        event satisfies never;
    }
  }

  /** The story ended, and nothing is wrong any more: everybody runs what the wire and the verbs say they must. */
  end(at: number): void {
    this.#reach(at + 1);
    for (const plugin of this.#plugins.values()) this.#checkEnd(plugin);
  }

  #isFrozen = false;

  // --- pushes -------------------------------------------------------------------------------------------------

  #onPlacePush(node: NodeView, name: string, content: WirePlace, version: string, at: number): void {
    const place = node.place(name);
    const { acked } = place;
    node.onPushed(at);
    if (isProbe(content)) {
      this.#evidence.onPush(node, name, content, at);
      Object.assign(place, { isOutstanding: true, isClean: false, pushedAt: at });
      node.placeOut = name;
      return;
    }
    if (place.isClean && acked !== undefined && !node.isVersionUnknown)
      this.#checkNeeded(node, name, place, content);
    const before = node.runs.bind(node);
    for (const { plugin, revision } of content.parts) this.#plugin(plugin).onContent(node, revision, at);
    for (const { plugin } of acked?.parts ?? [])
      if (
        revisionsIn(content, plugin).length === 0 &&
        node.holds(plugin, name).length === 0 &&
        before(plugin) !== null
      )
        this.#plugin(plugin).onContent(node, null, at);
    this.#evidence.onPush(node, name, content, at);
    Object.assign(place, { pushed: content, pushedAt: at, isOutstanding: true, pushedVersion: version });
    node.placeOut = name;
  }

  /** Bytes that Envoy has and tried last are never sent again, and what did not change keeps its tag. */
  #checkNeeded(node: NodeView, name: string, place: PlaceView, content: WirePlace): void {
    const { acked } = place;
    if (acked === undefined) return;
    const id = node.facts.id;
    if (isSameContent(acked, content))
      this.#violate('needless-push', `${id} was sent what it has in ${name}`);
    if (acked.form !== content.form || place.ackedIn !== this.#life) return;
    for (const part of content.parts) {
      const known = acked.parts.find(other => isSamePart(part, other));
      if (known !== undefined && known.tag !== part.tag)
        this.#violate('tag-changed', `${id}: ${part.plugin} did not change in ${name}, and has a new tag`);
    }
  }

  #onListeners(
    node: NodeView,
    listeners: readonly ListenerOnWire[],
    removed: readonly string[],
    at: number,
  ): void {
    node.onPushed(at);
    for (const listener of listeners) this.#onListener(node, listener, at);
    for (const name of removed) node.listeners.delete(name);
    node.listenersOut = listeners.map(({ name }) => name);
  }

  #onListener(node: NodeView, listener: ListenerOnWire, at: number): void {
    const { name, version, places } = listener;
    const known = node.listeners.get(name);
    const id = node.facts.id;
    const isSamePlaces = known?.places.join(' ') === places.join(' ');
    if (known?.isAcked === true && known.version === version)
      this.#violate('needless-push', `${id} was sent listener ${name} again`);
    else if (known?.isAcked === true && isSamePlaces && known.seenVersion === this.#listenerVersion)
      this.#violate(
        'listener-changed',
        `${id} was sent another listener ${name} although nothing changed in it`,
      );
    node.listeners.set(name, { ...listener, isAcked: false, seenVersion: this.#listenerVersion });
    if (node.facts.layout !== 'single') return;
    for (const place of places)
      if (known?.places.includes(place) !== true) this.#plugins.get(place)?.onPlace(node, true, at);
    for (const place of known?.places ?? [])
      if (!places.includes(place)) this.#plugins.get(place)?.onPlace(node, false, at);
  }

  #onAnswer(node: NodeView, to: 'place' | 'listeners' | 'other', nack: string | undefined, at: number): void {
    node.onAnswered(at);
    if (to === 'listeners') this.#onListenersAnswer(node, nack, at);
    if (to !== 'place' || node.placeOut === undefined) return;
    const name = node.placeOut;
    const place = node.place(name);
    if (nack === undefined && node.letGo !== undefined && (place.pushedAt ?? 0) > node.letGo.at)
      node.letGo = undefined;
    node.placeOut = undefined;
    place.isOutstanding = false;
    this.#evidence.onAnswer(node, name, nack, at);
    place.isClean = nack === undefined;
    if (nack !== undefined) {
      place.blamed = { plugin: pluginIn(nack), at };
      return;
    }
    place.acked = place.pushed;
    place.ackedIn = this.#life;
    for (const plugin of this.#plugins.values()) plugin.onAck(node, at);
  }

  #onListenersAnswer(node: NodeView, nack: string | undefined, at: number): void {
    for (const name of node.listenersOut) {
      const listener = node.listeners.get(name);
      if (listener !== undefined) listener.isAcked = nack === undefined;
    }
    node.listenersOut = [];
    // Envoy may have tried something in a place that we do not know of: its places are pushed again.
    if (nack !== undefined) for (const place of node.places.values()) place.isClean = false;
    else for (const plugin of this.#plugins.values()) plugin.onAck(node, at);
  }

  // --- what happens beside -----------------------------------------------------------------------------------

  #onOpened(event: WireEvent & { type: 'opened' }, at: number): void {
    const node = this.#nodes.get(event.node) ?? new NodeView(event.facts, at);
    this.#nodes.set(event.node, node);
    node.open(event.facts, at, event.fresh);
    node.isVersionUnknown = node.letGo !== undefined && node.letGo.life !== this.#life;
    if (node.isVersionUnknown) node.letGo = undefined;
    if (event.fresh) this.#evidence.onBegun(node);
  }

  /** It had taken what was out when its line broke. */
  #onVersions(node: NodeView, versions: ReadonlyMap<string, string>, at: number): void {
    for (const [name, version] of versions) {
      const place = node.places.get(name);
      if (place?.pushed === undefined || place.pushedVersion !== version || place.acked === place.pushed)
        continue;
      place.acked = place.pushed;
      place.ackedIn = 0;
      for (const plugin of this.#plugins.values()) plugin.onAck(node, at);
    }
  }

  #onPolicy(id: string, isExcluded: boolean, at: number): void {
    const node = this.#nodes.get(id);
    if (node === undefined) return;
    node.isExcluded = isExcluded;
    node.policyAt = at;
    for (const plugin of this.#plugins.values()) {
      plugin.onPolicy(node, at);
      plugin.onGone(at);
    }
  }

  /** What was not recorded by then is forgotten. */
  #onKilled(at: number): void {
    this.#upSince = undefined;
    this.#evidence.onKilled(at);
    for (const node of this.#nodes.values())
      for (const place of node.places.values())
        if (place.isOutstanding || at - place.pushedAt < DURABLE_MS) place.isClean = false;
  }

  #onRefusal(node: NodeView, plugin: string, revision: number, at: number): void {
    this.#plugin(plugin).onRefusal(node, revision, at);
    this.#expectBack(plugin, at);
  }

  /** Whoever can be reached is back soon. */
  #expectBack(name: string, at: number): void {
    const plugin = this.#plugin(name);
    const { rollout } = plugin;
    if (rollout?.dead === undefined) return;
    const life = this.#life;
    const check = (): void => {
      if (this.#upSince === undefined || this.#life !== life || plugin.rollout !== rollout) return;
      for (const id of rollout.touched.keys()) {
        const node = this.#nodes.get(id);
        if (node === undefined || !node.isConnected || node.isExcluded) continue;
        if (plugin.refusesBase(node) || node.isKeptBack(name, at)) continue;
        if (node.openedAt > at - DURABLE_MS || !node.isQuiet()) continue;
        const runs = node.runs(name);
        if ([...plugin.bases, ...plugin.leftOver].some(aim => aimOn(aim, node.facts) === runs)) continue;
        this.#violate(
          'not-back',
          `${id} still runs ${name}@${runs} ${BACK_WITHIN_MS} ms after ${rollout.dead?.why}`,
        );
      }
    };
    this.#due.push({ at: at + BACK_WITHIN_MS, check });
  }

  #reach(at: number): void {
    this.#now = at;
    this.#evidence.reach(at);
    if (this.#due.every(due => due.at >= at)) return;
    const over = this.#due.filter(due => due.at < at);
    this.#due = this.#due.filter(due => due.at >= at);
    for (const { check } of over) check();
  }

  // --- the end ------------------------------------------------------------------------------------------------

  #checkEnd(plugin: PluginBelief): void {
    if (plugin.isLeft) return;
    const aims = plugin.expected(this.#now);
    const wrong = aims.map(aim =>
      [...this.#nodes.values()].filter(node => !this.#isAsItShould(plugin, node, aim)),
    );
    if (wrong.some(nodes => nodes.length === 0)) return;
    const runs = [...this.#nodes.values()]
      .filter(node => node.isConnected)
      .map(node => `${node.facts.id}:${node.runs(plugin.name) ?? '-'}`);
    this.#violate(
      'wrong-end',
      `${plugin.name} should be ${aims.map(toText).join(' or ')}, and runs ${runs.join(' ')} (${plugin.rollout?.dead?.why ?? 'alive'})`,
    );
  }

  #isAsItShould(plugin: PluginBelief, node: NodeView, aim: Parameters<typeof aimOn>[0]): boolean {
    if (!node.isConnected || node.facts.layout === 'none') return true;
    const wanted = aimOn(aim, node.facts);
    const runs = node.runs(plugin.name);
    if (runs !== null && node.refused.has(`${plugin.name}@${runs}`)) return false;
    // Before 1.39 a place that was refused, with nothing to fall back on, holds the listener that would bring others.
    if (runs === null && node.facts.layout === 'single' && node.refused.size > 0 && !node.isQuiet())
      return true;
    // A node that refuses what was proven elsewhere is alone with it.
    const isLeft = plugin.leftOver.some(left => aimOn(left, node.facts) === runs);
    return runs === wanted || isLeft || node.refused.has(`${plugin.name}@${wanted}`);
  }

  #plugin(name: string): PluginBelief {
    const known = this.#plugins.get(name);
    if (known !== undefined) return known;
    const fleet: Fleet = {
      nodes: this.#nodes,
      isUp: () => this.#upSince !== undefined,
      isSettled: at => this.#upSince !== undefined && at > this.#upSince + SETTLING_MS,
    };
    const report: Report = (rule, detail) => this.#violate(rule, detail);
    const made = new PluginBelief(name, fleet, report);
    made.onFrozen(this.#isFrozen, this.#now);
    this.#plugins.set(name, made);
    return made;
  }

  #violate(rule: string, detail: string): void {
    this.violations.push(`${toTime(this.#now)}  ${rule}: ${detail}`);
  }
}

export { TAKEN_IN_MS };
