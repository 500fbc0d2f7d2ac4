import type { Assignment } from './assignment.ts';
import type { NodePresence } from './node.ts';
import type { NodeVerdict } from './node-verdict.ts';
import { findInSlot, findPlaces, type Place } from './plugin-place.ts';
import { type PluginSpec, toPluginName } from './plugin-spec.ts';
import { findSelectionMiss, type SelectionMiss } from './selector.ts';

/**
 * A plugin on a node, worst first.
 * - `Refused`: Envoy refused the revision it is to run, and has not gone back to another yet
 * - `Stale`: sent, and no answer within `staleAfterMs`; `Fetching`: it downloads the module, or cannot
 * - `Sent`: no answer yet; `Pending`: nothing sent yet; `Accepted`: it runs what it is to run
 * - `NotTargeted`: not selected, or not able: see the reason
 */
export const PLUGIN_STATES = [
  'Refused',
  'Stale',
  'Fetching',
  'Sent',
  'Pending',
  'Accepted',
  'NotTargeted',
] as const;
export type PluginState = (typeof PLUGIN_STATES)[number];

export type StateReason = 'Selector' | 'NoV8' | 'NoPlace' | 'NoRevision' | 'Removing' | 'Unreachable';

export interface NodePluginState {
  readonly state: PluginState;
  readonly reason: StateReason | null;
  /** A sentence for a person. */
  readonly detail: string | null;
  /** What serves on the node as far as known. */
  readonly revision: number | null;
  readonly desiredRevision: number | null;
  /** The newest refusal by this node; kept beside Accepted once it runs a good revision again. */
  readonly refusal: NodeRefusal | null;
  /** When `state` began, ms; null: not known. */
  readonly since: number | null;
  /** The node is not connected: all of this was so when it was last heard. */
  readonly lastKnown: boolean;
}

export interface NodeRefusal {
  readonly revision: number | null;
  /** Envoy's text. */
  readonly message: string;
  /** Where the cause is. */
  readonly cause: string;
  readonly at: number;
}

export interface StateInput {
  readonly spec: PluginSpec;
  readonly presence: NodePresence;
  /** Of this node; others' are ignored. */
  readonly verdicts: readonly NodeVerdict[];
  readonly assignment: Assignment | undefined;
  readonly rootNamespace: string;
  readonly now: number;
  /** Default 60 s (`ackTimeout`). */
  readonly staleAfterMs?: number;
}

const STALE_AFTER_MS = 60_000;
/** A node that has just connected asks for its places within moments; until then none is no news. */
const PLACE_GRACE_MS = 3_000;
const NO_LISTENER_TEXT = 'no listener of the node is one that its match or targetRefs choose';

/** The state of one plugin on one node, from records alone. Pure. */
export function derivePluginState(input: StateInput): NodePluginState {
  const { spec, presence } = input;
  const verdicts = input.verdicts.filter(verdict => verdict.node === presence.node.id);
  const places = findPlaces(spec, presence, verdicts);
  const plugin = toPluginName(spec);
  const common = {
    revision: findRunning(verdicts, presence.process, plugin),
    desiredRevision: input.assignment?.revision ?? null,
    refusal: findRefusal(verdicts, plugin),
    lastKnown: !presence.connected,
  };
  return {
    ...common,
    ...(findReasonNotTargeted(input, places, common) ?? deriveAtPlaces(input, places, common)),
  };
}

type StatePart = Pick<NodePluginState, 'state' | 'reason' | 'detail' | 'since'>;

function findReasonNotTargeted(
  input: StateInput,
  places: readonly Place[],
  { revision, desiredRevision }: { revision: number | null; desiredRevision: number | null },
): StatePart | undefined {
  const { spec, presence, rootNamespace } = input;
  const miss = findSelectionMiss(spec, presence.node, rootNamespace);
  if (miss !== undefined && revision !== null)
    return { state: 'Pending', reason: 'Removing', detail: toMissText(miss), since: null };
  if (miss !== undefined)
    return { state: 'NotTargeted', reason: 'Selector', detail: toMissText(miss), since: null };
  if (!presence.node.capabilities.wasm)
    return {
      state: 'NotTargeted',
      reason: 'NoV8',
      detail: 'this Envoy has no Wasm filter with V8',
      since: null,
    };
  if (places.length > 0 || mayStillAsk(input, desiredRevision)) return undefined;
  return { state: 'NotTargeted', reason: 'NoPlace', detail: toNoPlaceText(presence), since: null };
}

/** Places come with the first requests of a node; before 1.39 a plugin's own place comes with its listener. */
function mayStillAsk({ presence, assignment, now }: StateInput, desiredRevision: number | null): boolean {
  if (presence.slots.length > 0 && presence.node.capabilities.filterChain) return false;
  const changedAt = Math.max(presence.since, assignment?.since ?? 0);
  return desiredRevision === null || now - changedAt < PLACE_GRACE_MS;
}

/** The worst of what its places say. */
function deriveAtPlaces(
  input: StateInput,
  places: readonly Place[],
  { desiredRevision: wanted, refusal }: Pick<NodePluginState, 'desiredRevision' | 'refusal'>,
): StatePart {
  if (wanted === null && refusal !== null)
    return { state: 'Refused', reason: 'NoRevision', detail: 'no good revision yet', since: refusal.at };
  if (wanted === null)
    return { state: 'Pending', reason: 'NoRevision', detail: 'no good revision yet', since: null };
  const plugin = toPluginName(input.spec);
  const parts = places
    .map(place => deriveAtPlace(input, place, plugin, wanted))
    .filter(part => part !== undefined)
    .toSorted((a, b) => PLUGIN_STATES.indexOf(a.state) - PLUGIN_STATES.indexOf(b.state));
  if (parts[0] !== undefined) return parts[0];
  if (isLeftOut(input, places))
    return { state: 'NotTargeted', reason: 'NoPlace', detail: NO_LISTENER_TEXT, since: null };
  return { state: 'Pending', reason: null, detail: 'not sent yet', since: null };
}

/** A plugin for some listeners only that nothing was sent of although nothing stands in its way: none matches. */
function isLeftOut({ presence, assignment, now }: StateInput, places: readonly Place[]): boolean {
  const changedAt = Math.max(presence.since, assignment?.since ?? 0);
  const quiet = places.every(({ verdict }) => verdict === undefined || verdict.state === 'accepted');
  return places.length > 0 && quiet && now - changedAt >= PLACE_GRACE_MS;
}

/** undefined: this place says nothing about the plugin, and need not. */
function deriveAtPlace(
  { now, staleAfterMs = STALE_AFTER_MS }: StateInput,
  { verdict, certain }: Place,
  plugin: string,
  wanted: number,
): StatePart | undefined {
  const plain = { reason: null, detail: null } as const;
  const tried = findInSlot(verdict?.tried, plugin);
  const accepted = findInSlot(verdict?.accepted, plugin);
  if (verdict === undefined || (tried === undefined && accepted === undefined))
    return certain ? { state: 'Pending', ...plain, detail: 'not sent yet', since: null } : undefined;
  if (accepted?.revision === wanted)
    return { state: 'Accepted', ...plain, since: verdict.accepted?.at ?? verdict.since };
  const { refused } = verdict;
  if (refused !== null && isAbout(verdict, plugin, wanted))
    return { state: 'Refused', ...plain, since: refused.at };
  if (tried?.revision !== wanted) return { state: 'Pending', ...plain, since: null };
  if (verdict.state === 'unreachable')
    return {
      state: 'Fetching',
      reason: 'Unreachable',
      detail: 'this Envoy cannot get the module from Attaché: is the modules address reachable from there?',
      since: verdict.since,
    };
  if (verdict.state === 'fetching') return { state: 'Fetching', ...plain, since: verdict.since };
  const state = now - verdict.since >= staleAfterMs ? 'Stale' : 'Sent';
  return { state, ...plain, since: verdict.since };
}

/** Envoy names the plugin it refuses; where it names none, any that was in the try may be it. */
function isAbout(verdict: NodeVerdict, plugin: string, revision: number): boolean {
  const { refused, tried } = verdict;
  if (refused === null) return false;
  if (refused.plugin !== undefined) return refused.plugin === plugin && refused.revision === revision;
  return findInSlot(tried, plugin)?.revision === revision;
}

/** The lowest revision that serves in any place: a node is as far as its last place. */
function findRunning(verdicts: readonly NodeVerdict[], process: string, plugin: string): number | null {
  const running = verdicts
    .filter(verdict => verdict.process === process)
    .map(verdict => findInSlot(verdict.accepted, plugin)?.revision)
    .filter(revision => revision !== undefined);
  return running.length === 0 ? null : Math.min(...running);
}

/** A refusal outlives the process that refused: the next one would do the same. */
function findRefusal(verdicts: readonly NodeVerdict[], plugin: string): NodeRefusal | null {
  const refusals = verdicts
    .map(({ refused, tried }) =>
      refused !== null && (refused.plugin ?? (findInSlot(tried, plugin) && plugin)) === plugin
        ? refused
        : null,
    )
    .filter(refused => refused !== null)
    .toSorted((a, b) => b.at - a.at);
  const [newest] = refusals;
  if (newest === undefined) return null;
  const { revision = null, message, at } = newest;
  return { revision, message, cause: toCauseText(plugin), at };
}

/** Where the cause of a refusal is: Envoy never sends it. */
export function toCauseText(plugin: string): string {
  return `that node's Envoy log; look for 'wasm log ${plugin}'`;
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
