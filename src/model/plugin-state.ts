import type { Side } from './assignment.ts';
import { type NodePresence, type ResourceNack, SILENT_AFTER_MS } from './node.ts';
import { findRefusal, type NodeRefusal } from './node-refusal.ts';
import type { NodeVerdict } from './node-verdict.ts';
import { deriveAtPlace, deriveLeaving, type StatePart } from './place-state.ts';
import { findHolding, findInSlot, findPlaces, type HoldingPlace, type Place } from './plugin-place.ts';
import { type PluginName, type PluginSpec, toPluginName } from './plugin-spec.ts';
import type { RevisionConfig } from './revision.ts';
import { findSelectionMiss, type SelectionMiss } from './selector.ts';
import { LISTENER_TYPE } from './type-url.ts';

/**
 * A plugin on a node, worst first.
 * - `Degraded`: it runs, and fails since: `detail` has the numbers
 * - `Refused`: Envoy refused the revision it is to run, and has not gone back to another yet
 * - `Stale`: sent, and no answer within `staleAfterMs`; `Fetching`: it downloads the module, or cannot
 * - `Sent`: no answer yet; `Pending`: nothing sent yet
 * - `Accepted`: it runs what it is to run; `Loaded`: that is proven in every place
 * - `NotTargeted`: not selected, not able, or taken out: see the reason
 */
export const PLUGIN_STATES = [
  'Degraded',
  'Refused',
  'Stale',
  'Fetching',
  'Sent',
  'Pending',
  'Accepted',
  'Loaded',
  'NotTargeted',
] as const;
export type PluginState = (typeof PLUGIN_STATES)[number];

/**
 * Beside NotTargeted: Selector, NoV8, NoPlace, Excluded (by a person), Removed (deleted, and gone from the node).
 * NoRevision: on this side there is none. Removing: it is to run none, and still has one. Unreachable: it cannot
 * get the module from us.
 */
export type StateReason =
  | 'Selector'
  | 'NoV8'
  | 'NoPlace'
  | 'Excluded'
  | 'Removed'
  | 'NoRevision'
  | 'Removing'
  | 'Unreachable';

export interface NodePluginState {
  readonly state: PluginState;
  readonly reason: StateReason | null;
  /** A sentence for a person. */
  readonly detail: string | null;
  /** What serves on the node as far as known: the lowest where its places differ. */
  readonly revision: number | null;
  /** null: it is to run none. */
  readonly desiredRevision: number | null;
  /** The newest refusal by this node; kept beside Accepted once it runs a good revision again. */
  readonly refusal: NodeRefusal | null;
  /** When `state` began, ms; null: not known. */
  readonly since: number | null;
  /** The node is not connected: all of this was so when it was last heard. */
  readonly lastKnown: boolean;
}

export interface StateInput {
  /** The PluginSpec, or what matters of it. `deleted`: a node that is rid of it shows Removed. */
  readonly plugin: Pick<PluginSpec, 'namespace' | 'name' | 'deleted' | 'selector' | 'targetRefs'>;
  readonly presence: NodePresence;
  /** Of this node; others' are ignored. */
  readonly verdicts: readonly NodeVerdict[];
  /** The side the node is on (findSide); undefined: the plugin has no Assignment yet. */
  readonly side: Side | undefined;
  /** When the node came to this side: it was moved, or the Assignment's `since`. 0: not known, long ago. */
  readonly assignedAt: number;
  /** NodePolicy.excluded is there. */
  readonly excluded?: boolean;
  /** What is wrong with what runs there, in words; null: nothing is known to be. */
  readonly degraded?: string | null;
  /** undefined: there is no such revision. */
  config(revision: number): Pick<RevisionConfig, 'phase' | 'match'> | undefined;
  readonly rootNamespace: string;
  readonly now: number;
  /** Default 60 s (`ackTimeout`). */
  readonly staleAfterMs?: number;
}

/** A node that has just connected asks for its places within moments; until then none is no news. */
export const PLACE_GRACE_MS = 3_000;

/** By then it is on record that a node is silent. */
const RECORDED_MS = 1_000;

const STALE_AFTER_MS = 60_000;
const NO_LISTENER_TEXT = 'no listener of the node is one that its match or targetRefs choose';
const EXCLUDED_TEXT = 'excluded: it takes part in no rollout until it is included again';

/** The state of one plugin on one node, from records alone. Pure. */
export function derivePluginState(input: StateInput): NodePluginState {
  const facts = collectFacts(input);
  const places = findPlacesWanted(facts);
  const part = withDegraded(findOutside(facts, places) ?? deriveInside(facts, places), facts);
  return {
    ...part,
    revision: facts.revision,
    desiredRevision: facts.wanted,
    refusal: facts.refusal,
    lastKnown: !input.presence.connected,
  };
}

/** Whether a node is where its side wants it: it runs that revision, or is rid of the plugin. */
export function isDone({ state, reason, revision, desiredRevision }: NodePluginState): boolean {
  if (desiredRevision === null) return revision === null && reason !== 'Removing';
  return state === 'Accepted' || state === 'Loaded';
}

/**
 * Whether a node has this state, as far as `isDone` and counts tell it from others, for as long as its situation is the
 * same, whatever the time. Of a node that has a situation: what refusals and silence make of a state is a matter of time.
 */
export function isLasting(
  { state, reason, detail }: NodePluginState,
  { node: { capabilities } }: Pick<NodePresence, 'node'>,
): boolean {
  switch (state) {
    case 'Accepted':
    case 'Loaded':
      return true;
    case 'NotTargeted':
      return reason !== 'NoPlace';
    case 'Sent':
      // Before 1.39 it may turn out that the node asks for no place.
      return capabilities.filterChain;
    case 'Pending':
      // So it may where nothing is known of a place.
      return capabilities.filterChain && (reason !== null || detail === null);
    case 'Refused':
    case 'Degraded':
    case 'Fetching':
    // Where a node has several places, the one may hide the other for a time.
    case 'Stale':
      return false;
    default:
      return state satisfies never;
  }
}

interface Facts {
  readonly input: StateInput;
  readonly name: PluginName;
  readonly wanted: number | null;
  readonly revision: number | null;
  readonly refusal: NodeRefusal | null;
  readonly holding: readonly HoldingPlace[];
  /** Why the side does not select it. */
  readonly miss: SelectionMiss | undefined;
}

function collectFacts(input: StateInput): Facts {
  const { plugin, presence, side, rootNamespace, verdicts } = input;
  const { node } = presence;
  const name = toPluginName(plugin);
  const holding = findHolding(name, presence, verdicts);
  const { namespace } = plugin;
  // A side without a revision is nowhere: whom the plugin is meant for is what its document says.
  const { selector, targetRefs } = side === undefined || side.revision === null ? plugin : side.placement;
  const miss = findSelectionMiss({ namespace, selector, targetRefs }, node, rootNamespace);
  return {
    input,
    name,
    holding,
    wanted: side === undefined || miss !== undefined ? null : side.revision,
    revision: findRunning(name, holding),
    refusal: findRefusal(verdicts, node.id, name),
    miss,
  };
}

/** The lowest, where places differ; null: it serves nowhere. */
function findRunning(name: PluginName, holding: readonly HoldingPlace[]): number | null {
  let lowest: number | null = null;
  for (const { verdict } of holding) {
    const revision = findInSlot(verdict.accepted, name)?.revision;
    if (revision !== undefined && (lowest === null || revision < lowest)) lowest = revision;
  }
  return lowest;
}

/** undefined: the node is to run a revision and can, or still has one that it is not to run. */
function findOutside(facts: Facts, places: readonly Place[]): StatePart | undefined {
  const { input, holding, miss, wanted } = facts;
  const { excluded, plugin, presence } = input;
  const isHeld = holding.length > 0;
  if (excluded === true && (isHeld || miss === undefined)) return toOutside('Excluded', EXCLUDED_TEXT);
  if (wanted === null && isHeld) return undefined;
  if (miss !== undefined) return toOutside('Selector', toMissText(miss));
  if (!presence.node.capabilities.wasm) return toOutside('NoV8', 'this Envoy has no Wasm filter with V8');
  if (wanted === null && plugin.deleted !== undefined)
    return toOutside('Removed', 'the plugin was deleted, and is not on the node');
  const noPlace = places.length === 0 && !mayStillAsk(facts);
  return noPlace ? toOutside('NoPlace', toNoPlaceText(presence)) : undefined;
}

function toOutside(reason: StateReason, detail: string): StatePart {
  return { state: 'NotTargeted', reason, detail, since: null };
}

/** Before there is a revision its phase is not known: any place may be the one. */
function findPlacesWanted({ wanted, name, input }: Facts): readonly Place[] {
  const { presence, verdicts, side, config } = input;
  if (wanted === null) return presence.slots.map(slot => ({ slot, verdict: undefined, certain: false }));
  const { phase = 'UNSPECIFIED_PHASE', match = [] } = config(wanted) ?? {};
  const refs = side?.placement.targetRefs ?? [];
  const everywhere = match.length === 0 && refs.every(({ kind }) => kind !== 'Listener');
  return findPlaces(name, { phase, everywhere }, presence, verdicts);
}

/** Places come with the first requests of a node; before 1.39 a plugin's own place comes with its listener. */
function mayStillAsk({ input, wanted }: Facts): boolean {
  const { presence, assignedAt, now } = input;
  const { filterChain } = presence.node.capabilities;
  if (filterChain) return presence.slots.length === 0 && now < asksUntil(presence, assignedAt);
  if (wanted === null || presence.silentSince !== undefined || findListenerNack(presence) !== undefined)
    return true;
  return now < asksUntil(presence, assignedAt);
}

/** A listener that the node refuses: before 1.39 it may be the one that brings the place. */
function findListenerNack({ nacks }: NodePresence): ResourceNack | undefined {
  return nacks.find(({ typeUrl }) => typeUrl === LISTENER_TYPE);
}

/**
 * Until when a node that has no place for a plugin may still ask for one. One before 1.39 that answered nothing since
 * the move did not see the listener with the place yet, or there is none: which it is shows by SILENT_AFTER_MS.
 */
export function asksUntil(
  { node, since, lastAckAt = 0 }: Pick<NodePresence, 'node' | 'since' | 'lastAckAt'>,
  assignedAt: number,
): number {
  if (node.capabilities.filterChain) return since + PLACE_GRACE_MS;
  const hasAnswered = lastAckAt >= assignedAt;
  return Math.max(since, assignedAt) + (hasAnswered ? PLACE_GRACE_MS : SILENT_AFTER_MS + RECORDED_MS);
}

function deriveInside(facts: Facts, places: readonly Place[]): StatePart {
  const { input, wanted, holding, refusal, name } = facts;
  const { assignedAt, now, staleAfterMs = STALE_AFTER_MS } = input;
  if (wanted === null && holding.length > 0) return deriveRemoving(facts, staleAfterMs);
  if (wanted === null)
    return {
      state: refusal === null ? 'Pending' : 'Refused',
      reason: 'NoRevision',
      detail: 'no good revision yet',
      since: refusal?.at ?? null,
    };
  const aim = { plugin: name, assignedAt, now, staleAfterMs, wanted };
  const parts: StatePart[] = [];
  for (const place of places) {
    const part = deriveAtPlace(aim, place);
    if (part !== undefined) parts.push(part);
  }
  for (const { slot, verdict } of holding)
    if (!places.some(place => place.slot === slot)) parts.push(deriveLeaving(aim, verdict));
  if (parts.length > 0) return worstOf(parts);
  if (isLeftOut(input, places))
    return { state: 'NotTargeted', reason: 'NoPlace', detail: NO_LISTENER_TEXT, since: null };
  return deriveUnseen(input.presence, now, staleAfterMs);
}

/** It is to run none, and still has one, or may. */
function deriveRemoving({ input, name, holding, miss }: Facts, staleAfterMs: number): StatePart {
  const aim = { plugin: name, assignedAt: input.assignedAt, now: input.now, staleAfterMs };
  const detail = miss === undefined ? 'it leaves the node' : toMissText(miss);
  const why = { reason: 'Removing', detail } as const;
  return worstOf(holding.map(({ verdict }) => ({ ...deriveLeaving(aim, verdict), ...why })));
}

/** Nothing is known of it on this node: it was not sent, or with a listener that the node did not answer. */
function deriveUnseen(presence: NodePresence, now: number, staleAfterMs: number): StatePart {
  const { silentSince } = presence;
  const nack = findListenerNack(presence);
  const detail =
    nack === undefined ? 'not sent yet' : `the node refuses listener ${nack.name}: ${nack.message}`;
  if (silentSince === undefined) return { state: 'Pending', reason: null, detail, since: nack?.at ?? null };
  const state = now - silentSince >= staleAfterMs ? 'Stale' : 'Sent';
  return { state, reason: null, detail: 'the node does not answer', since: silentSince };
}

/** A plugin for some listeners only that nothing was sent of although nothing stands in its way: none matches. */
function isLeftOut({ presence, assignedAt, now }: StateInput, places: readonly Place[]): boolean {
  const quiet = places.every(({ verdict }) => verdict === undefined || verdict.state === 'accepted');
  return places.length > 0 && quiet && now - Math.max(presence.since, assignedAt) >= PLACE_GRACE_MS;
}

function worstOf(parts: readonly StatePart[]): StatePart {
  const [only] = parts;
  if (only !== undefined && parts.length === 1) return only;
  const [worst] = parts.toSorted((a, b) => PLUGIN_STATES.indexOf(a.state) - PLUGIN_STATES.indexOf(b.state));
  return worst ?? { state: 'Pending', reason: null, detail: null, since: null };
}

/** What runs there fails, whatever it is to run next. */
function withDegraded(part: StatePart, { input, revision }: Facts): StatePart {
  const { degraded } = input;
  if (degraded === undefined || degraded === null || revision === null || part.state === 'NotTargeted')
    return part;
  return { ...part, state: 'Degraded', detail: degraded };
}

/** A sentence about the first thing that keeps a node from being selected. */
export function toMissText({ what, key, wanted, actual }: SelectionMiss): string {
  if (what === 'namespace') return `it selects namespace ${wanted}; the node is in namespace ${actual}`;
  if (what === 'targetRef') return `it targets ${key} ${wanted}; the node is not of it`;
  return `it selects label ${key}=${wanted}; the node has ${actual === undefined ? `no label ${key}` : `${key}=${actual}`}`;
}

function toNoPlaceText({ slots }: NodePresence): string {
  return slots.length === 0
    ? 'the node has no place for plugins: it has no listener with an HTTP connection manager that Attaché serves'
    : `none of its places (${slots.join(', ')}) can hold the plugin`;
}
