import type { NodeVerdict } from '../../model/node-verdict.ts';
import type { ProcessState } from '../push/process-machine.ts';
import { type Alive, isUnmoved, minus, NO_CHANGES, type VmCounts, wholeSet } from './count-vms.ts';
import {
  type Episode,
  findChanged,
  followEpisode,
  judgeEpisode,
  newEpisode,
  type Outcome,
} from './episode.ts';
import { liveVms, partsOf, type SlotParts } from './live-parts.ts';
import { keepLoaded, type LoadedParts, restoreLoaded, withLoaded } from './loaded-parts.ts';

/*
 * Whether a process runs on every worker what it accepted (design 5.11; docs/push-protocol.md, "Loaded"). The counts
 * of VMs before and after a change must differ by exactly what the change makes where nothing fails. Whatever else
 * happens meanwhile leaves the plugins at Accepted.
 */

/** What a flush of the process says of it. */
export interface Reading extends VmCounts {
  readonly workers: number | null;
  /** No request was under way. */
  readonly quiet: boolean;
  /** A VM has crashed in this process. */
  readonly hasCrashed: boolean;
  /** A process that takes over from another one may count the VMs of both. */
  readonly hotRestarted: boolean;
}

/** What is known of the VMs of a process; as long as the counts are these, or differ by crashes alone, it is so. */
interface Ledger {
  readonly counts: VmCounts;
  readonly alive: Alive;
}

export interface LoadedProof {
  /** What was accepted when we looked last, by slot. */
  readonly seen: ReadonlyMap<string, SlotParts>;
  /** A push is out, or was NACKed and is being judged. */
  readonly isBusy: boolean;
  /** The newest flush that came while nothing was out, and how many came since the last push or change. */
  readonly newest: VmCounts | undefined;
  readonly readings: number;
  /** One of them, told after the change, found no request under way: what was begun before it has ended. */
  readonly wasQuiet: boolean;
  /** All that was pushed since `newest`; undefined: nothing, or too much for two counts to tell. */
  readonly episode: Episode | undefined;
  readonly ledger: Ledger | undefined;
  readonly loaded: LoadedParts;
  /** The state of the process that was looked at last. */
  readonly state: ProcessState | undefined;
}

/** A process that we saw begin had no VM. */
const BEGINNING: VmCounts = { created: 0, active: 0, reloaded: 0 };

/**
 * A flush waits for every worker (measured), but the first one to arrive after an ACK may have begun before it. From
 * the second on they tell what all threads made of the change.
 */
const FIRST_SURE = 2;

const NOTHING_SEEN: LoadedProof['seen'] = new Map();
const NOTHING_LOADED: LoadedParts = new Map();
const NONE_ALIVE: Alive = new Map();

export function newProof(fresh: boolean): LoadedProof {
  return fresh ? NEW_PROOF : UNKNOWN_PROOF;
}

function toProof(fresh: boolean): LoadedProof {
  return {
    seen: NOTHING_SEEN,
    isBusy: false,
    newest: fresh ? BEGINNING : undefined,
    readings: fresh ? FIRST_SURE : 0,
    wasQuiet: false,
    episode: undefined,
    ledger: undefined,
    loaded: NOTHING_LOADED,
    state: undefined,
  };
}

const NEW_PROOF = toProof(true);
const UNKNOWN_PROOF = toProof(false);

/** What was proven before our start holds on. */
export function restoreProof(verdicts: readonly NodeVerdict[]): LoadedProof {
  const accepted = verdicts.flatMap(it => (it.accepted === null ? [] : [[it.slot, it.accepted] as const]));
  return {
    ...newProof(false),
    seen: new Map(accepted.map(([slot, { contentHash }]) => [slot, { contentHash, parts: undefined }])),
    loaded: new Map(
      accepted.map(([slot, it]) => [slot, restoreLoaded(it)] as const).filter(([, known]) => known.size > 0),
    ),
  };
}

/** By state: where a fleet has one state together, those of it that tell no stats have one proof together. */
const followed = new WeakMap<
  ProcessState,
  { readonly before: WeakRef<LoadedProof>; readonly next: LoadedProof }
>();

/** To be called after every event of the push protocol. */
export function onProcess(proof: LoadedProof, state: ProcessState): LoadedProof {
  if (proof.state === state) return proof;
  const known = followed.get(state);
  if (known !== undefined && known.before.deref() === proof) return known.next;
  const next = follow(proof, state);
  // Whoever told its stats has a proof of its own.
  if (proof.newest === undefined || proof.newest === BEGINNING)
    followed.set(state, { before: new WeakRef(proof), next });
  return next;
}

function follow(proof: LoadedProof, state: ProcessState): LoadedProof {
  // All that is looked at here is in the slots.
  if (proof.state?.slots === state.slots) return { ...proof, state };
  const isBusy = isAnyBusy(state);
  const seen = look(state, proof.seen);
  const hasChanged =
    seen !== proof.seen && (seen.size !== proof.seen.size || findChanged(proof.seen, seen).length > 0);
  const isMoving = isBusy || hasChanged;
  const begun = isBusy && !proof.isBusy ? begin(proof) : proof.episode;
  const episode = begun && followEpisode(begun, state, proof.seen, seen);
  return {
    ...proof,
    state,
    seen,
    isBusy,
    episode,
    ledger: hasChanged && episode === undefined ? undefined : proof.ledger,
    readings: isMoving ? 0 : proof.readings,
    wasQuiet: !isMoving && proof.wasQuiet,
    loaded: keepLoaded(proof.loaded, proof.seen, seen),
  };
}

/** A push goes out: a new episode, unless the one before is not over, which then has one change more. */
function begin({ readings, newest, ledger, episode }: LoadedProof): Episode | undefined {
  if (readings < FIRST_SURE) return episode;
  return (
    newest &&
    newEpisode(newest, ledger && isUnmoved(minus(newest, ledger.counts)) ? ledger.alive : NONE_ALIVE)
  );
}

function isAnyBusy({ slots }: ProcessState): boolean {
  for (const { phase } of slots.values()) if (phase.kind !== 'idle') return true;
  return false;
}

/** A content that is known by its hash alone may have been seen whole before. The same as before, if all of it is. */
function look(state: ProcessState, known: ReadonlyMap<string, SlotParts>): ReadonlyMap<string, SlotParts> {
  const seen = new Map<string, SlotParts>();
  let isSame = true;
  for (const [name, slot] of state.slots) {
    const now = partsOf(slot);
    const before = known.get(name);
    const part = now?.parts === undefined && before?.contentHash === now?.contentHash ? before : now;
    isSame &&= part === before;
    if (part !== undefined) seen.set(name, part);
  }
  return isSame && seen.size === known.size ? known : seen;
}

/** To be called after every flush. One that comes while a push is out tells nothing: did it see what came of it? */
export function onReading(proof: LoadedProof, reading: Reading): LoadedProof {
  if (proof.isBusy) return proof;
  const readings = proof.readings + 1;
  const next: LoadedProof = { ...proof, newest: reading, readings };
  if (readings < FIRST_SURE) return next;
  const outcome = judge(proof, reading);
  if (outcome === undefined)
    return {
      ...next,
      wasQuiet: proof.wasQuiet || reading.quiet,
      // While a change is not judged, nobody knows what is alive.
      ledger:
        (proof.episode?.changes ?? NO_CHANGES) === NO_CHANGES
          ? (proof.ledger ?? check(proof, reading))
          : undefined,
    };
  const { proven, alive } = outcome;
  const loaded = proven.length === 0 ? proof.loaded : withLoaded(proof.loaded, proven);
  return { ...next, episode: undefined, ledger: { counts: reading, alive }, loaded };
}

function judge({ episode, state, seen, wasQuiet }: LoadedProof, reading: Reading): Outcome | undefined {
  const { workers, hotRestarted } = reading;
  if (episode === undefined || workers === null || hotRestarted) return undefined;
  // It brought versions later on: it is no new process, and had VMs before.
  if (episode.before === BEGINNING && state?.known !== true) return undefined;
  return judgeEpisode(episode, seen, { ...reading, workers }, wasQuiet);
}

/**
 * How the ledger begins where we did not see the VMs being made (after our own start): all that runs was proven, none
 * crashed since, and no other is alive.
 */
function check({ loaded, seen }: LoadedProof, reading: Reading): Ledger | undefined {
  const vms = liveVms(seen);
  if (vms === undefined || reading.workers === null || reading.hotRestarted || reading.hasCrashed)
    return undefined;
  const isProven = [...seen].every(([slot, { parts = [] }]) =>
    parts.every(({ plugin }) => loaded.get(slot)?.has(plugin)),
  );
  const whole = wholeSet(reading.workers);
  if (!isProven || reading.active !== vms.size * whole) return undefined;
  return { counts: reading, alive: new Map([...vms.keys()].map(vm => [vm, whole])) };
}
