import { createHash } from 'node:crypto';
import type { PluginSpec } from '../../src/model/plugin-spec.ts';
import type { RolloutAction } from '../../src/model/rollout-intent.ts';
import type { NodeFacts, WirePlace } from './envoy-bytes.ts';

/**
 * What can be seen between Attaché and its Envoys, with its time (ms). All of it is noted where it enters or leaves
 * Attaché, in that order.
 */
export type WireEvent =
  | { readonly type: 'opened'; readonly node: string; readonly facts: NodeFacts; readonly fresh: boolean }
  | { readonly type: 'closed'; readonly node: string }
  /** It comes back, and says which versions of its places it accepted last: also those whose ACK nobody heard. */
  | { readonly type: 'brings'; readonly node: string; readonly versions: ReadonlyMap<string, string> }
  /** One place was pushed. */
  | {
      readonly type: 'place';
      readonly node: string;
      readonly place: string;
      readonly version: string;
      readonly content: WirePlace;
    }
  /** Listeners were pushed, with the places in them. */
  | {
      readonly type: 'listeners';
      readonly node: string;
      readonly listeners: readonly ListenerOnWire[];
      readonly removed: readonly string[];
    }
  /** A push of anything else. */
  | { readonly type: 'other'; readonly node: string; readonly names: readonly string[] }
  /** The answer to the last push of that kind; `nack` is Envoy's text. */
  | {
      readonly type: 'answer';
      readonly node: string;
      readonly to: 'place' | 'listeners' | 'other';
      readonly nack?: string;
    }
  /** Places that an Envoy has no use for any more. */
  | { readonly type: 'unsubscribed'; readonly node: string; readonly places: readonly string[] }
  /** A GET arrived at the module port. */
  | { readonly type: 'get'; readonly node: string; readonly module: string }
  /** Stats that arrived: what the node answered since the stats before. */
  | {
      readonly type: 'stats';
      readonly node: string;
      readonly requests: number;
      readonly errors5xx: number;
      /** By plugin, as a counter: VM reloads since the Envoy began. */
      readonly reloads: Readonly<Record<string, number>>;
    };

export interface ListenerOnWire {
  readonly name: string;
  readonly version: string;
  readonly places: readonly string[];
}

/** What the world did from outside: documents, verbs, and what became of Attaché's own process. */
export type Deed =
  | { readonly type: 'applied'; readonly plugin: string; readonly spec: PluginSpec }
  /** The module of the newest document is there, and this is its revision. */
  | { readonly type: 'ready'; readonly plugin: string; readonly revision: number }
  /** It is not there; `isFinal`: nobody looks for it any more. */
  | { readonly type: 'not-ready'; readonly plugin: string; readonly isFinal: boolean }
  | { readonly type: 'deleted'; readonly plugin: string; readonly now: boolean }
  | {
      readonly type: 'verb';
      readonly plugin: string;
      readonly action: RolloutAction;
      readonly full: boolean;
      readonly freeze: boolean;
      readonly to: number | null;
    }
  | { readonly type: 'frozen' }
  | { readonly type: 'unfrozen' }
  | { readonly type: 'excluded'; readonly node: string }
  | { readonly type: 'included'; readonly node: string }
  /** The listeners' document changed: they go to every node at once. */
  | { readonly type: 'listener-changed' }
  | { readonly type: 'killed' }
  | { readonly type: 'started' };

/** Sees everything that is to be seen, in order. */
export interface Witness {
  onWire(at: number, event: WireEvent): void;
  onDeed(at: number, deed: Deed): void;
}

/** Tells the witnesses, and keeps a hash of it all: the same seed gives the same one. */
export class Wire {
  readonly #now: () => number;
  readonly #witnesses: readonly Witness[];
  readonly #hash = createHash('sha256');
  /** Lines for a person, when they are asked for. */
  readonly lines: string[] | undefined;
  events = 0;

  constructor(now: () => number, witnesses: readonly Witness[], verbose: boolean) {
    this.#now = now;
    this.#witnesses = witnesses;
    this.lines = verbose ? [] : undefined;
  }

  see(event: WireEvent): void {
    const at = this.#now();
    if (event.type !== 'stats') this.#note(at, event);
    for (const witness of this.#witnesses) witness.onWire(at, event);
  }

  did(deed: Deed): void {
    const at = this.#now();
    this.#note(at, deed);
    for (const witness of this.#witnesses) witness.onDeed(at, deed);
  }

  /** A line of the story that is neither. */
  say(text: string): void {
    this.lines?.push(`${toTime(this.#now())}  # ${text}`);
  }

  digest(): string {
    return this.#hash.copy().digest('hex');
  }

  #note(at: number, what: WireEvent | Deed): void {
    this.events += 1;
    const line = `${toTime(at)}  ${toLine(what)}`;
    this.#hash.update(`${line}\n`);
    this.lines?.push(line);
  }
}

/** `12:03.450`: minutes, seconds and milliseconds since the beginning of the story. */
export function toTime(at: number): string {
  const ms = at - 1_000_000;
  const minutes = String(Math.floor(ms / 60_000)).padStart(3, ' ');
  const seconds = String(Math.floor((ms % 60_000) / 1000)).padStart(2, '0');
  return `${minutes}:${seconds}.${String(ms % 1000).padStart(3, '0')}`;
}

/** One line a person can read. */
export function toLine(what: WireEvent | Deed): string {
  switch (what.type) {
    case 'opened':
      return `${what.node} <-> opened${what.fresh ? ' (a new process)' : ''}`;
    case 'closed':
      return `${what.node} --- closed`;
    case 'brings':
      return `${what.node} -> brings ${[...what.versions].map(([name, version]) => `${name} ${version.slice(0, 6)}`).join(' ')}`;
    case 'place':
      return `${what.node} <- ${what.place} ${what.content.form} [${toParts(what.content)}] ${what.version.slice(0, 6)}`;
    case 'listeners':
      return `${what.node} <- listeners ${what.listeners.map(it => `${it.name}(${it.places.join(' ')})`).join(' ')} removed ${what.removed.join(' ')}`;
    case 'other':
      return `${what.node} <- ${what.names.join(' ')}`;
    case 'answer':
      return `${what.node} -> ${what.nack === undefined ? 'ACK' : `NACK ${what.nack.trim()}`} (${what.to})`;
    case 'unsubscribed':
      return `${what.node} -> drops ${what.places.join(' ')}`;
    case 'get':
      return `${what.node} -> GET ${what.module.slice(0, 6)}`;
    case 'stats':
      return `${what.node} -> ${what.errors5xx} of ${what.requests} requests 5xx`;
    case 'applied':
      return `>>> apply ${what.plugin} ${JSON.stringify(what.spec.rollout ?? {})} ${what.spec.preset ?? ''} ${JSON.stringify(what.spec.selector?.matchLabels ?? {})}`;
    default:
      return `>>> ${Object.values(what)
        .filter(it => it !== null && it !== false)
        .join(' ')}`;
  }
}

export function toParts({ parts }: WirePlace): string {
  return parts
    .map(part => `${part.plugin.replace('default/', '')}@${part.revision}#${part.tag.slice(-4)}`)
    .join(' ');
}
