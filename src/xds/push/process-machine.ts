import type { ModuleFetch } from '../../model/module-fetch.ts';
import type { PluginInSlot } from '../../model/node-verdict.ts';
import type { ListenerSlots, WantedSlot } from '../../model/snapshot.ts';
import type { Attempt, FreshTag } from './attempt.ts';
import { type Downloads, withFetch } from './downloads.ts';
import { type DuePush, findDue, nextWake, toPush } from './next-push.ts';
import { findPart } from './part-places.ts';
import { type SlotEvent, step } from './slot-machine.ts';
import { holdsListener, isPlain, NO_NAMES, newSlot, type SlotState } from './slot-state.ts';

/**
 * The slots of one process (one run of an Envoy) and what they share: its
 * downloads, and the one push that may be out at a time (design 5.6).
 */
export interface ProcessState {
  readonly slots: ReadonlyMap<string, SlotState>;
  /** The slot whose push is un-ACKed. */
  readonly inFlight: string | undefined;
  /** How many pushes it had in this run of ours. */
  readonly pushes: number;
  readonly downloads: Downloads;
  /** No request of this process brought versions of any type: its code cache was empty when it came. */
  readonly fresh: boolean;
  /**
   * We saw this process begin, in this run of ours or an earlier one: what no record tells of it did not happen,
   * so a slot without a version and without a record was never answered.
   */
  readonly known: boolean;
  /** The bootstrap says that its own slots have no fetch timeout and deny until answered. */
  readonly bootstrapDenies: boolean;
  /** Slots that a listener version delivered on this stream brought in, until Envoy asks for them. */
  readonly introduced: ReadonlyMap<string, Introduction>;
  /**
   * Until when the slots of an earlier stream count although this stream has not named them yet: a listener must
   * not change while one of them may have been refused. Envoy names all of them in its first request.
   */
  readonly relistBy: number | undefined;
}

interface Introduction {
  readonly sentAt: number;
  readonly fetchTimeoutMs: number;
  /** Every listener that brought the slot in has served without it. */
  readonly gained: boolean;
}

/* Shared by all processes that have none. */
const NO_SLOTS: ProcessState['slots'] = new Map();
const NO_DOWNLOADS: Downloads = new Map();
const NOTHING_INTRODUCED: ProcessState['introduced'] = new Map();

const TICK: SlotEvent = { type: 'tick' };
const ACK: SlotEvent = { type: 'ack' };

/** Envoy sends the requests of all its types at once when it reconnects. */
const RELIST_MS = 10_000;

export function newProcess(options: { fresh: boolean; bootstrapDenies: boolean }): ProcessState {
  return {
    ...options,
    known: options.fresh,
    slots: NO_SLOTS,
    inFlight: undefined,
    pushes: 0,
    downloads: NO_DOWNLOADS,
    introduced: NOTHING_INTRODUCED,
    relistBy: undefined,
  };
}

/** A stream of this process opened. */
export function onStreamOpened(state: ProcessState, now: number): ProcessState {
  const relistBy = state.slots.size === 0 ? undefined : now + RELIST_MS;
  return state.relistBy === relistBy ? state : { ...state, relistBy };
}

/** A request brought versions: it is no new process, so one that we took for new is one that we do not know. */
export function onVersions(state: ProcessState): ProcessState {
  return { ...state, known: state.known && !state.fresh, fresh: false };
}

/** A client has versions that nobody can tell apart: what no record tells of it may have happened. */
export function onUnknownVersions(state: ProcessState): ProcessState {
  return { ...state, known: false, fresh: false };
}

export type Lookup = (slot: string) => WantedSlot | undefined;

/** Names that an extension config request adds and drops; `versions` is its initial_resource_versions. */
export interface SlotRequest {
  readonly subscribe: readonly string[];
  readonly unsubscribe: readonly string[];
  readonly versions: ReadonlyMap<string, string>;
  /** The first request on such a stream names all that the process has (ADS). */
  readonly isWhole: boolean;
  /** Names in which the process was surely never answered if they come without a version (default: none). */
  readonly unanswered?: ReadonlySet<string>;
}

export function onSlotRequest(
  state: ProcessState,
  request: SlotRequest,
  lookup: Lookup,
  now: number,
  waits: (slot: string) => boolean = () => false,
): ProcessState {
  const named = new Set([...request.subscribe, ...request.versions.keys()]);
  let next = state.relistBy === undefined || !request.isWhole ? state : relisted(state, named);
  for (const slot of request.unsubscribe) next = onSlot(next, slot, { type: 'unsubscribed' }, now);
  // After a reconnect Envoy may list what it has without naming it again: both mean "subscribed".
  for (const slot of named) {
    if (request.unsubscribe.includes(slot)) continue;
    const want = lookup(slot);
    if (want !== undefined) next = onSlot(next, slot, { type: 'wanted', want }, now);
    const version = request.versions.get(slot);
    const isSure = next.known || request.unanswered?.has(slot) === true;
    const warmUntil = slotWarmsUntil(next, slot, waits(slot), isSure);
    const mayWarm = version === undefined && now < warmUntil;
    const gained = next.introduced.get(slot)?.gained === true;
    const known = version === undefined ? {} : { version };
    const event: SlotEvent = { type: 'subscribed', mayWarm, warmUntil, gained, ...known };
    next = without(onSlot(next, slot, event, now), slot);
  }
  return next;
}

/**
 * A listener's slots were delivered on this stream: those not in use yet will be asked for while it warms.
 * `isKnown`: Envoy has an older version of the listener, which goes on serving meanwhile.
 */
export function onListenerSent(
  state: ProcessState,
  { slots, fetchTimeoutMs }: ListenerSlots,
  now: number,
  isKnown = false,
): ProcessState {
  const introduced = new Map(state.introduced);
  for (const slot of slots) {
    if (state.slots.get(slot)?.subscribed === true) continue;
    const gained = isKnown && introduced.get(slot)?.gained !== false;
    introduced.set(slot, { sentAt: now, fetchTimeoutMs, gained });
  }
  return { ...state, introduced };
}

/** The verdict on the push that is out; `nack` is Envoy's text, `pushedAt` when the push went out. */
export function onAnswer(
  state: ProcessState,
  nack: string | undefined,
  now: number,
  pushedAt?: number,
): ProcessState {
  const slot = state.inFlight;
  if (slot === undefined) return state;
  const next: ProcessState = { ...state, inFlight: undefined };
  if (nack === undefined) return onSlot(next, slot, ACK, now);
  const event: SlotEvent = { type: 'nack', message: nack, ...(pushedAt === undefined ? {} : { pushedAt }) };
  return onSlot(next, slot, event, now);
}

export function onWanted(state: ProcessState, lookup: Lookup, now: number): ProcessState {
  return onSlots(state, now, (name, slot) => {
    const want = lookup(name);
    return want === undefined || want === slot.want ? undefined : { type: 'wanted', want };
  });
}

export function onFetch(state: ProcessState, fetch: ModuleFetch, now: number): ProcessState {
  return onTick({ ...state, downloads: withFetch(state.downloads, fetch) }, now);
}

/**
 * The same without its downloads, once all of them ended and nothing of it is out or being judged: what counts as evidence
 * begins after the next push. Not while a listener is un-ACKed or refused, whose evidence they may be.
 */
export function withoutDownloads(state: ProcessState): ProcessState {
  if (state.downloads.size === 0 || state.inFlight !== undefined) return state;
  for (const slot of state.slots.values()) if (!isPlain(slot)) return state;
  for (const known of state.downloads.values())
    if (known.some(download => download.state === 'started')) return state;
  return { ...state, downloads: NO_DOWNLOADS };
}

export function onTick(state: ProcessState, now: number): ProcessState {
  const late = state.relistBy !== undefined && now >= state.relistBy;
  return onSlots(late ? relisted(state, NO_NAMES) : state, now, () => TICK);
}

/** What Envoy has not named again it does not have any more. */
function relisted(state: ProcessState, named: ReadonlySet<string>): ProcessState {
  const slots = [...state.slots].filter(([name, slot]) => slot.subscribed || named.has(name));
  return { ...state, slots: new Map(slots), relistBy: undefined };
}

/** The stream of these slots ended; `isLast`: the process has no other. */
export function onStreamClosed(
  state: ProcessState,
  slots: readonly string[],
  isLast: boolean,
  now: number,
): ProcessState {
  let next = state;
  for (const slot of slots)
    if (next.slots.has(slot)) next = onSlot(next, slot, { type: 'stream-closed' }, now);
  const { inFlight } = next;
  if (inFlight !== undefined && slots.includes(inFlight)) next = { ...next, inFlight: undefined };
  if (isLast) return { ...next, inFlight: undefined, introduced: NOTHING_INTRODUCED, fresh: false };
  // A place with a stream of its own is let go by the end of that; or it comes back on another one.
  return slots.length === 0 ? next : { ...next, relistBy: now + RELIST_MS };
}

/** Envoy refused a listener over these slots without a download: it may have tried what we do not know of. */
export function onHeal(state: ProcessState, slots: readonly string[], now: number): ProcessState {
  let next = state;
  for (const slot of slots) if (next.slots.has(slot)) next = onSlot(next, slot, { type: 'heal' }, now);
  return next;
}

/** Every place that it asked for was accepted as it is wanted, and none is out. */
export function hasWanted({ inFlight, slots }: ProcessState): boolean {
  if (inFlight !== undefined) return false;
  for (const { subscribed, want, phase, accepted } of slots.values())
    if (subscribed && (phase.kind !== 'idle' || accepted?.contentHash !== want?.wanted.contentHash))
      return false;
  return true;
}

/**
 * The next push to this process, if one is due and none is out. A plugin that moves to another slot leaves its old
 * one after the new one was accepted: make before break.
 */
export function nextProcessPush(
  state: ProcessState,
  now: number,
  freshTag: FreshTag,
): ProcessPush | undefined {
  if (state.inFlight !== undefined) return undefined;
  let due: readonly DueSlot[] = NONE_DUE;
  for (const slot of state.slots.values()) {
    const push = findDue(slot, now);
    if (push !== undefined) due = [...due, { name: slot.slot, slot, push }];
  }
  const chosen = due.length === 0 ? undefined : (chooseSlot(state, due) ?? chooseStaying(state, due, now));
  if (chosen === undefined) return undefined;
  const push = toPush(chosen.slot, chosen.push, now, state.pushes, freshTag);
  const slots = new Map(state.slots).set(chosen.name, push.state);
  const pushes = state.pushes + 1;
  return {
    slot: chosen.name,
    attempt: push.attempt,
    state: { ...state, slots, pushes, inFlight: chosen.name },
  };
}

/** A push, and the process once it is out. */
export interface ProcessPush {
  readonly state: ProcessState;
  readonly slot: string;
  readonly attempt: Attempt;
}

interface DueSlot {
  readonly name: string;
  readonly slot: SlotState;
  readonly push: DuePush;
}

function chooseSlot(state: ProcessState, due: readonly DueSlot[]): DueSlot | undefined {
  const free = due.find(it => findMoves(state, it).length === 0);
  if (free !== undefined) return free;
  // Where all that is due waits for each other, one must begin.
  const isDue = ({ place }: Move): boolean => due.some(({ name }) => name === place);
  return due.every(it => findMoves(state, it).every(isDue)) ? due[0] : undefined;
}

/** What else is due in a slot does not wait for a plugin that cannot leave it: the next slot may refuse that for ever. */
function chooseStaying(state: ProcessState, due: readonly DueSlot[], now: number): DueSlot | undefined {
  for (const it of due) {
    const push = findDue(it.slot, now, new Set(findMoves(state, it).map(({ plugin }) => plugin)));
    if (push !== undefined) return { ...it, push };
  }
  return undefined;
}

/** A plugin, and the slot that is to hold it next and does not hold it yet. */
interface Move {
  readonly plugin: string;
  readonly place: string;
}

const NONE_DUE: readonly DueSlot[] = [];
const NO_MOVES: readonly Move[] = [];

/** Of the plugins which this push takes out of its slot. */
function findMoves({ slots }: ProcessState, { name, slot, push }: DueSlot): readonly Move[] {
  if (push.isProbe || slot.accepted === null) return NO_MOVES;
  if (slot.accepted.plugins.every(it => holds(push.content.plugins, it.plugin))) return NO_MOVES;
  const leaves = slot.accepted.plugins.filter(it => !holds(push.content.plugins, it.plugin));
  return leaves.flatMap(({ plugin }) =>
    [...slots].flatMap(([place, other]) => {
      const isNext = other.subscribed && holds(other.want?.wanted.plugins ?? [], plugin);
      const isThere = holds(other.accepted?.plugins ?? [], plugin);
      return place !== name && isNext && !isThere ? [{ plugin, place }] : [];
    }),
  );
}

function holds(plugins: readonly Pick<PluginInSlot, 'plugin'>[], plugin: string): boolean {
  return findPart(plugins, plugin) >= 0;
}

/** When onTick is due at the latest. */
export function processWake(state: ProcessState, now: number): number | undefined {
  let wake = state.relistBy === undefined ? undefined : Math.max(now, state.relistBy);
  for (const slot of state.slots.values()) {
    const own = nextWake(slot, now);
    if (own !== undefined && (wake === undefined || own < wake)) wake = own;
  }
  return wake;
}

/** No slot of the listener is un-ACKed or refused (design 5.7). */
export function mayChangeListener(state: ProcessState, slots: readonly string[]): boolean {
  return !slots.some(name => {
    const slot = state.slots.get(name);
    return slot !== undefined && holdsListener(slot);
  });
}

/**
 * Until when the slot's listener surely still waits for its first answer (design 5.1); 0: it may not. A slot
 * without a fetch timeout waits for ever, also across a broken stream and our own restart; `isSure`: what is not
 * known of it did not happen.
 */
function slotWarmsUntil(state: ProcessState, slot: string, waits: boolean, isSure: boolean): number {
  const introduced = state.introduced.get(slot);
  if (introduced === undefined)
    return isSure && (waits || state.bootstrapDenies) ? Number.POSITIVE_INFINITY : 0;
  const { fetchTimeoutMs, sentAt } = introduced;
  return fetchTimeoutMs === 0 ? Number.POSITIVE_INFINITY : sentAt + fetchTimeoutMs / 2;
}

/** What happens to each slot, where something does. */
function onSlots(
  state: ProcessState,
  now: number,
  toEvent: (name: string, slot: SlotState) => SlotEvent | undefined,
): ProcessState {
  const context = { now, downloads: state.downloads };
  let slots: Map<string, SlotState> | undefined;
  for (const [name, before] of state.slots) {
    const event = toEvent(name, before);
    const after = event === undefined ? before : step(before, event, context);
    if (after === before) continue;
    slots ??= new Map(state.slots);
    slots.set(name, after);
  }
  return slots === undefined ? state : { ...state, slots };
}

function onSlot(state: ProcessState, slot: string, event: SlotEvent, now: number): ProcessState {
  const before = state.slots.get(slot) ?? newSlot(slot);
  const after = step(before, event, { now, downloads: state.downloads });
  if (after === before && state.slots.has(slot)) return state;
  return { ...state, slots: new Map(state.slots).set(slot, after) };
}

function without(state: ProcessState, slot: string): ProcessState {
  if (!state.introduced.has(slot)) return state;
  const introduced = new Map(state.introduced);
  introduced.delete(slot);
  return { ...state, introduced: introduced.size === 0 ? NOTHING_INTRODUCED : introduced };
}
