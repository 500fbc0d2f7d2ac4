import { type NodeFacts, PROBE_PLUGIN, type WirePart, type WirePlace } from './envoy-bytes.ts';
import type { ListenerOnWire } from './wire.ts';

/** Who connects has been sent everything after this; who answers is sent the next thing at once. */
const ARRIVAL_MS = 1500;
const MOMENT_MS = 5;
/** Answers that take this long may make a rollout fail. */
const SILENCE_MS = 1000;

/** A place of one node, as the wire shows it. */
export interface PlaceView {
  /** The last push; undefined before the first one. */
  pushed: WirePlace | undefined;
  pushedVersion: string;
  pushedAt: number;
  isOutstanding: boolean;
  /** The content ACKed last by this process. */
  acked: WirePlace | undefined;
  /** Attaché's life in which that was. */
  ackedIn: number;
  /** Nothing tells that Envoy may have tried something else since: what it has need not be sent again. */
  isClean: boolean;
  /** The plugin that a NACK named last, and when. */
  blamed: { readonly plugin: string; readonly at: number } | undefined;
}

/** One node, as the wire shows it. */
export class NodeView {
  facts: NodeFacts;
  isConnected = false;
  isExcluded = false;
  readonly firstSeenAt: number;
  openedAt: number;
  /** Since when nothing could be sent to it: its line broke, or it had been silent before. */
  closedAt = Number.NEGATIVE_INFINITY;
  /** When it was excluded or included last. */
  policyAt = Number.NEGATIVE_INFINITY;
  readonly places = new Map<string, PlaceView>();
  readonly listeners = new Map<string, ListenerOnWire & { isAcked: boolean; seenVersion: number }>();
  /** Listener names of the push that is out. */
  listenersOut: readonly string[] = [];
  placeOut: string | undefined;
  /** When it let go of a place, and in which life of Attaché, if it has ACKed no push made since. */
  letGo: { readonly at: number; readonly life: number } | undefined;
  /**
   * In the state of the world one version stands for all places, and that place is in it: who was not there cannot
   * tell what it says, and sends each place once more.
   */
  isVersionUnknown = false;
  /** Times of GETs, for the evidence. */
  readonly gets: { readonly at: number; readonly module: string }[] = [];
  /** Content that this node was seen to refuse: `plugin@revision`. */
  readonly refused = new Set<string>();
  refusedAt = Number.NEGATIVE_INFINITY;
  /** Since when it answers with errors, and how many stats in a row said so. */
  lastErrorAt = Number.NEGATIVE_INFINITY;

  /** When it owed an answer for long. */
  readonly silences: { readonly from: number; readonly to: number }[] = [];

  /** Since when it was busy answering, one push after the other. */
  #busySince = 0;
  #answeredAt = Number.NEGATIVE_INFINITY;

  constructor(facts: NodeFacts, at: number) {
    this.facts = facts;
    this.firstSeenAt = at;
    this.openedAt = at;
  }

  open(facts: NodeFacts, at: number, isFresh: boolean): void {
    this.facts = facts;
    this.isConnected = true;
    this.openedAt = at;
    if (!isFresh) return;
    this.places.clear();
    this.listeners.clear();
  }

  close(at: number): void {
    this.#noteSilence(at);
    this.closedAt = this.silentSince ?? at;
    this.isConnected = false;
    for (const place of this.places.values()) {
      if (place.isOutstanding) place.isClean = false;
      place.isOutstanding = false;
    }
    for (const name of this.listenersOut) this.listeners.delete(name);
    this.listenersOut = [];
    this.placeOut = undefined;
  }

  /** A push went out. */
  onPushed(at: number): void {
    if (at > this.#answeredAt + MOMENT_MS) this.#busySince = at;
  }

  onAnswered(at: number): void {
    this.#noteSilence(at);
    this.#answeredAt = at;
  }

  /** It has not answered since then; undefined: it owes no answer. */
  get silentSince(): number | undefined {
    return this.isConnected && (this.placeOut !== undefined || this.listenersOut.length > 0)
      ? this.#busySince
      : undefined;
  }

  #noteSilence(to: number): void {
    const from = this.silentSince;
    if (from !== undefined && to - from >= SILENCE_MS) this.silences.push({ from, to });
  }

  /** When what goes out to it now may have been decided at the earliest: it may have been away, or busy. */
  freeSince(at: number): number {
    if (at < this.openedAt + ARRIVAL_MS) return this.closedAt;
    return at <= this.#answeredAt + MOMENT_MS ? this.#busySince : at;
  }

  place(name: string): PlaceView {
    const known = this.places.get(name);
    if (known !== undefined) return known;
    const made: PlaceView = {
      pushed: undefined,
      pushedAt: 0,
      isOutstanding: false,
      acked: undefined,
      pushedVersion: '',
      ackedIn: 0,
      isClean: false,
      blamed: undefined,
    };
    this.places.set(name, made);
    return made;
  }

  /** The revisions of a plugin that its places hold, as pushed last; `except`: a place not to look at. */
  holds(plugin: string, except?: string): readonly number[] {
    return [...this.places].flatMap(([name, place]) =>
      name === except ? [] : revisionsIn(place.pushed ?? place.acked, plugin),
    );
  }

  /** The revision of a plugin that it ACKed in the verdict form; null: none. */
  runs(plugin: string): number | null {
    for (const place of this.places.values()) {
      if (place.acked?.form !== 'verdict') continue;
      const [revision] = revisionsIn(place.acked, plugin);
      if (revision !== undefined) return revision;
    }
    return null;
  }

  /** Nothing is out or in doubt. */
  isQuiet(): boolean {
    if (this.silentSince !== undefined) return false;
    return [...this.places.values()].every(place => place.isClean && !place.isOutstanding);
  }

  /** What it is to have besides it cannot load, or cannot have the module of: what its place held stays there whole. */
  isKeptBack(plugin: string, since: number): boolean {
    return [...this.places.values()].some(
      ({ acked, blamed }) =>
        revisionsIn(acked, plugin).length > 0 &&
        blamed !== undefined &&
        blamed.plugin !== plugin &&
        blamed.at >= since,
    );
  }

  /** Its process has shown that it runs something. */
  hasAnswered(plugin: string): boolean {
    return [...this.places.values()].some(
      place => place.acked?.form === 'verdict' && revisionsIn(place.acked, plugin).length > 0,
    );
  }
}

/** The plugin that the text of a NACK names; empty: none. */
export function pluginIn(nack: string): string {
  return /Unable to create Wasm plugin (\S+)/.exec(nack)?.[1] ?? '';
}

export function isProbe({ parts }: WirePlace): boolean {
  return parts.length === 1 && parts[0]?.plugin === PROBE_PLUGIN;
}

export function revisionsIn(content: WirePlace | undefined, plugin: string): readonly number[] {
  return (content?.parts ?? []).filter(part => part.plugin === plugin).map(part => part.revision);
}

/** The same bytes but for tags and capabilities. */
export function isSameContent(a: WirePlace, b: WirePlace): boolean {
  return (
    a.form === b.form &&
    a.parts.length === b.parts.length &&
    a.parts.every((part, i) => isSamePart(part, b.parts[i]))
  );
}

export function isSamePart(a: WirePart, b: WirePart | undefined): boolean {
  return a.plugin === b?.plugin && a.rest === b.rest;
}
