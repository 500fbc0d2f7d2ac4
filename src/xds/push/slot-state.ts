import type { AcceptedContent, PluginInSlot, RefusedContent } from '../../model/node-verdict.ts';
import type { SlotContent, WantedSlot } from '../../model/snapshot.ts';
import type { Attempt, Tags, Variant } from './attempt.ts';
import { isSamePart } from './attempt.ts';
import { findPart } from './part-places.ts';

/**
 * The push protocol of one slot in one process, as a value. The states, and what ends each:
 *
 *   idle         nothing is out; a push is due when the target is not what Envoy has and tried last
 *   in-flight    pushed; ended by the ACK or NACK (the process has one push out at a time)
 *   warming      the warming form was ACKed, which proves nothing; ended when every body was sent, when no GET
 *                came within a second, or at the deadline: then the verdict form is pushed
 *   judging      NACKed, no GET yet; a GET within a second makes it a miss, none makes it a suspicion
 *   downloading  a miss; ended with the downloads: then it is pushed again with a new tag
 *
 * Design section 5; evidence in the Envoy facts of docs/push-protocol.md.
 */
export type Phase =
  | { readonly kind: 'idle' }
  | { readonly kind: 'in-flight'; readonly attempt: Attempt }
  | { readonly kind: 'warming'; readonly attempt: Attempt; readonly ackedAt: number }
  | {
      readonly kind: 'judging';
      readonly attempt: Attempt;
      readonly nackedAt: number;
      readonly message: string;
    }
  | {
      readonly kind: 'downloading';
      readonly attempt: Attempt;
      readonly nackedAt: number;
      readonly message: string;
      /** Its downloads began since then: the push, or that of the attempt which this one confirms. */
      readonly since: number;
      /** When the last of them was seen to end. */
      readonly endedAt?: number;
    };

export interface SlotState {
  readonly slot: string;
  readonly subscribed: boolean;
  /** The next push is the slot's first answer, and its listener waits for it (design 5.1). */
  readonly mayWarm: boolean;
  /** Until when that holds: half of the listener's fetch timeout, where it has one. */
  readonly warmUntil: number;
  /** Its listeners served before they had this slot, and go on without it until it is answered. */
  readonly gained: boolean;
  readonly want: WantedSlot | undefined;
  readonly phase: Phase;
  /** What Envoy tried last as far as we know. */
  readonly tried: Tried | null;
  /** ACKed in the verdict form; after our restart only its version is known, no tags and perhaps no content. */
  readonly accepted: Accepted | null;
  readonly refused: (RefusedContent & { readonly active: boolean }) | null;
  /** Contents refused since the wanted one changed: with both refused, neither is pushed in turns. */
  readonly refusedContents: ReadonlySet<string>;
  /** Content, by hash, that this node could not load for want of a module; not tried again before `until`. */
  readonly blocked: ReadonlyMap<string, Blocked>;
  /**
   * A NACK without a GET that one more attempt is to confirm; `probing`: after a look whether GETs arrive. `since`: when
   * what was refused was pushed. `plugins`: whom Envoy named.
   */
  readonly suspected: {
    readonly contentHash: string;
    readonly plugins: readonly string[];
    readonly probing: boolean;
    readonly since: number;
  } | null;
  /** Downloads of a module that ended well and were followed by another miss of it, in a row. */
  readonly misses: ReadonlyMap<string, number>;
  /** Plugins that get a new tag at the next push. */
  readonly renew: ReadonlySet<string>;
}

/** No time is in it: what a fleet has accepted is one object for all of it. When it was is in the record. */
export interface Accepted extends Omit<AcceptedContent, 'at' | 'loaded'> {
  readonly content?: SlotContent;
  readonly tags: Tags;
  /** Of the push that was ACKed; undefined: Envoy told of it, or the record. */
  readonly number: number | undefined;
}

export interface Tried {
  readonly contentHash: string;
  readonly variant: Variant;
  readonly tags: Tags;
  readonly plugins: readonly PluginInSlot[];
  /** It was ACKed: Envoy's "last tried" is good, and listeners that use the slot can change. */
  readonly clean: boolean;
}

export interface Blocked {
  readonly until: number;
  readonly failures: number;
  readonly message: string;
  /** Those that could not be loaded; empty: nobody knows which. */
  readonly plugins: readonly string[];
}

export const IDLE: Phase = { kind: 'idle' };

/* What most slots have, and share: a thousand Envoys in one megabyte less. */
export const NO_NAMES: ReadonlySet<string> = new Set();
export const NONE_BLOCKED: SlotState['blocked'] = new Map();
export const NO_PLUGINS: readonly string[] = [];
export const NO_MISSES: SlotState['misses'] = new Map();

export function newSlot(slot: string): SlotState {
  return {
    slot,
    subscribed: false,
    mayWarm: false,
    warmUntil: Number.POSITIVE_INFINITY,
    gained: false,
    want: undefined,
    phase: IDLE,
    tried: null,
    accepted: null,
    refused: null,
    refusedContents: NO_NAMES,
    blocked: NONE_BLOCKED,
    suspected: null,
    misses: NO_MISSES,
    renew: NO_NAMES,
  };
}

/** Nothing of it is out, refused, suspected, in back-off or about to warm. */
export function isPlain(state: SlotState): boolean {
  const { phase, refused, refusedContents, blocked, suspected, misses, renew, mayWarm } = state;
  if (phase.kind !== 'idle' || refused !== null || suspected !== null || mayWarm) return false;
  return refusedContents.size + blocked.size + misses.size + renew.size === 0;
}

/** Holds the part that was refused; refused content is not pushed again while it is wanted unchanged. */
export function containsRefused(state: SlotState, content: SlotContent): boolean {
  const { refused } = state;
  if (refused === null) return false;
  if (refused.plugin === undefined || refused.revision === undefined)
    return content.contentHash === refused.contentHash;
  const part = { plugin: refused.plugin, revision: refused.revision };
  return content.plugins.some(plugin => isSamePart(plugin, part));
}

/**
 * What Envoy should have now: what is wanted, or, while that is refused or cannot be loaded, the last good
 * content. Undefined: nothing may be pushed (a place whose first answer was refused stays closed). `staying`: plugins that must
 * not leave yet.
 */
export function targetOf(
  state: SlotState,
  now: number,
  staying: ReadonlySet<string> = NO_NAMES,
): SlotContent | undefined {
  const want = withStaying(state, staying);
  if (want === undefined) return undefined;
  const { wanted } = want;
  const first = firstAnswer(state, want) ?? wanted;
  if (mayPush(state, first, now)) return first;
  const good = lastGood(state, want);
  // What cannot be fetched is waited for where nothing good is known: an empty place would let requests past it.
  const mayFallBack = state.accepted !== null || good.plugins.length > 0 || isRefused(state, wanted);
  const candidates = [
    wanted,
    withoutCulprits(state, want, NO_PLUGINS),
    state.blocked.size === 0 ? undefined : withoutCulprits(state, want, unloadable(state)),
    mayFallBack ? good : undefined,
    state.accepted?.content,
  ];
  return candidates.find(content => content !== undefined && mayPush(state, content, now));
}

/** What is wanted, with the plugins that must not leave yet as they were accepted, each behind what it stood behind. */
function withStaying({ want, accepted }: SlotState, staying: ReadonlySet<string>): WantedSlot | undefined {
  if (want === undefined || accepted === null || staying.size === 0) return want;
  const parts: PluginInSlot[] = [...want.wanted.plugins];
  let behind = -1;
  for (const part of accepted.plugins) {
    const at = parts.findIndex(it => it.plugin === part.plugin);
    if (at >= 0) behind = at;
    else if (staying.has(part.plugin)) parts.splice(++behind, 0, part);
  }
  // Before Envoy 1.39 a place holds one plugin: that it holds more must be seen.
  const holdsMore = want.wanted.plugins.length > 1 || accepted.plugins.length > 1;
  const wanted = parts.length > 1 && !holdsMore ? undefined : want.recall(parts);
  return wanted && { ...want, wanted };
}

function mayPush(state: SlotState, content: SlotContent, now: number): boolean {
  return !isRefused(state, content) && !isBlocked(state, content, now);
}

function isRefused(state: SlotState, content: SlotContent): boolean {
  const holdsRefused = state.refused?.active === true && containsRefused(state, content);
  return holdsRefused || state.refusedContents.has(content.contentHash);
}

/**
 * What an Envoy begins with until the wanted content is proven: every wanted plugin at its good revision. In the warming
 * form a revision that Envoy refuses would not be refused, but answer 503. One that has no good revision is waited for,
 * unless the listeners served without it; one that is being taken out is not begun with. Undefined once something was accepted.
 */
function firstAnswer(state: SlotState, { wanted, fallback, recall }: WantedSlot): SlotContent | undefined {
  if (state.accepted !== null) return undefined;
  if (state.gained) return fallback;
  const good = wanted.plugins.map(it => fallback.plugins[findPart(fallback.plugins, it.plugin)]);
  if (good.every(it => it === undefined)) return undefined;
  const isFallback = good.length === fallback.plugins.length && !good.includes(undefined);
  const first = isFallback ? fallback : recall(wanted.plugins.map((it, i) => good[i] ?? it));
  return state.mayWarm || state.tried?.contentHash === first?.contentHash ? first : undefined;
}

/** Plugins of what is in back-off. */
function unloadable({ blocked }: SlotState): readonly string[] {
  return [...blocked.values()].flatMap(({ plugins }) => plugins);
}

/**
 * What is wanted, but for the plugin that was refused and the given ones, which stay as they were accepted last: the
 * others in a chain move on, or back, without them. Undefined where there is none, and where nothing was accepted yet: such a
 * place stays closed. Where nobody knows what was accepted, a plugin would not stay, but go.
 * What Envoy tried last is healed first, but not in the middle of a suspicion: the probe would never be followed by
 * the attempt that confirms it, and both would be pushed in turns for ever.
 */
function withoutCulprits(
  { accepted, refused, suspected, tried }: SlotState,
  { wanted, recall }: WantedSlot,
  unloaded: readonly string[],
): SlotContent | undefined {
  if (accepted === null) return undefined;
  const isCulprit = (it: PluginInSlot): boolean =>
    unloaded.includes(it.plugin) ||
    (refused?.active === true && it.plugin === refused.plugin && it.revision === refused.revision);
  if (!wanted.plugins.some(isCulprit) || !isRecalled(accepted, recall(accepted.plugins))) return undefined;
  const others = recall(
    wanted.plugins.flatMap<PluginInSlot>(it => {
      if (!isCulprit(it)) return [it];
      const before = accepted.plugins[findPart(accepted.plugins, it.plugin)];
      return before === undefined ? [] : [before];
    }),
  );
  const isUnderWay = [tried?.contentHash, suspected?.contentHash].includes(others?.contentHash);
  return tried?.clean === true || isUnderWay ? others : undefined;
}

/**
 * The content last accepted by this process, but for plugins that are not wanted any more: what one plugin of a chain
 * fails at keeps no other on the node. After our restart it is made anew by the revisions on record; where they are not
 * known, it is every plugin at its good revision, which is a pass-through where none has one.
 */
function lastGood({ accepted }: SlotState, { wanted, fallback, recall }: WantedSlot): SlotContent {
  if (accepted === null) return fallback;
  const stays = accepted.plugins.filter(it => findPart(wanted.plugins, it.plugin) >= 0);
  if (stays.length === accepted.plugins.length) {
    if (accepted.content !== undefined) return accepted.content;
    if (accepted.contentHash === wanted.contentHash) return wanted;
  }
  const recalled = recall(stays);
  return (isRecalled(accepted, recalled) ? recalled : undefined) ?? accepted.content ?? fallback;
}

/** Whether the plugins on record are those that were accepted: none may mean that nobody knows which. */
function isRecalled({ plugins, contentHash }: Accepted, recalled: SlotContent | undefined): boolean {
  return plugins.length > 0 || recalled?.contentHash === contentHash;
}

function isBlocked(state: SlotState, content: SlotContent, now: number): boolean {
  const blocked = state.blocked.get(content.contentHash);
  return blocked !== undefined && now < blocked.until;
}

/** Envoy has the target, proved it in the verdict form, and tried nothing else since. */
export function isSettled(state: SlotState, target: SlotContent): boolean {
  return (
    state.accepted?.contentHash === target.contentHash &&
    state.tried?.contentHash === target.contentHash &&
    state.tried.clean
  );
}

/** Un-ACKed or refused: a listener that uses the slot must not change now (design 5.7). */
export function holdsListener(state: SlotState): boolean {
  if (state.tried === null) return false;
  return state.phase.kind !== 'idle' || !state.tried.clean;
}
