import type { AcceptedContent, NodeVerdict, VerdictState } from '../model/node-verdict.ts';
import { ofEach } from '../model/of-each.ts';
import { isSameList } from '../model/same-list.ts';
import { type LoadedPart, namesOfLoaded } from './loaded/loaded-parts.ts';
import type { Process } from './process-registry.ts';
import { isSamePart, NO_TAGS } from './push/attempt.ts';
import { type Accepted, newSlot, type SlotState } from './push/slot-state.ts';

/** The word for a slot: what its process said or showed about the content it was to have. */
export function toVerdictState(state: SlotState): VerdictState {
  const wanted = state.want?.wanted;
  if (state.refused?.active === true) return 'refused';
  if (wanted !== undefined && state.blocked.has(wanted.contentHash)) return 'unreachable';
  if (state.phase.kind === 'downloading' || state.phase.kind === 'warming') return 'fetching';
  if (wanted !== undefined && state.accepted?.contentHash === wanted.contentHash) return 'accepted';
  return 'sent';
}

/** What the records of all processes say whose slot is in the same state. */
interface Told {
  readonly state: VerdictState;
  readonly tried: NodeVerdict['tried'];
  readonly refused: NodeVerdict['refused'];
  /** As it was told last: those that accept it in the same millisecond have it together. */
  accepted: AcceptedContent | null;
}

const tell = ofEach((state: SlotState): Told => {
  const { tried, refused } = state;
  return {
    state: toVerdictState(state),
    tried: tried && { contentHash: tried.contentHash, acked: tried.clean, plugins: tried.plugins },
    refused: refused && withoutActive(refused),
    accepted: null,
  };
});

/**
 * The record of a slot; `previous` keeps `since` where the state did not change, `acceptedAt` is when what stands in it was
 * accepted, `loaded` is what was proven of it.
 */
export function toVerdict(
  { nodeId, id, acceptedAt }: Pick<Process, 'nodeId' | 'id' | 'acceptedAt'>,
  state: SlotState,
  previous: NodeVerdict | undefined,
  now: number,
  loaded?: ReadonlyMap<string, LoadedPart>,
): NodeVerdict {
  const known = tell(state);
  const at = acceptedAt.get(state.slot)?.at ?? now;
  return {
    node: nodeId,
    process: id,
    slot: state.slot,
    state: known.state,
    since: previous?.state === known.state && previous.process === id ? previous.since : now,
    tried: known.tried,
    accepted: state.accepted && toAccepted(known, state.accepted, at, loaded),
    refused: known.refused,
  };
}

/** Whether all that is new of a slot, which accepted nothing meanwhile, is what was pushed to it: see isOnlySent. */
export function isOnlyPushed(before: SlotState, state: SlotState): boolean {
  const [was, is] = [tell(before), tell(state)];
  if (was.refused !== null || is.refused !== null || is.state !== 'sent') return false;
  return (was.state === 'accepted' || was.state === 'sent') && !isSameTried(was.tried, is.tried);
}

/** The record of a slot of which nothing is new but a push since `now`: see isOnlySent. */
export function toSent(
  { nodeId, id }: Pick<Process, 'nodeId' | 'id'>,
  state: SlotState,
  previous: NodeVerdict | undefined,
  now: number,
): NodeVerdict {
  const own = previous?.process === id ? previous : undefined;
  return {
    node: nodeId,
    process: id,
    slot: state.slot,
    state: 'sent',
    since: own?.state === 'sent' ? own.since : now,
    tried: tell(state).tried,
    accepted: own?.accepted ?? null,
    refused: null,
  };
}

/** Whether nothing would be written anew. */
export function isSameVerdict(one: NodeVerdict, other: NodeVerdict): boolean {
  return (
    one.process === other.process &&
    one.state === other.state &&
    one.since === other.since &&
    isSameTried(one.tried, other.tried) &&
    isSameAccepted(one.accepted, other.accepted) &&
    isSameRefused(one.refused, other.refused)
  );
}

function isSameTried(one: NodeVerdict['tried'], other: NodeVerdict['tried']): boolean {
  if (one === null || other === null) return one === other;
  return (
    one.contentHash === other.contentHash &&
    one.acked === other.acked &&
    isSameList(one.plugins, other.plugins, isSamePart)
  );
}

/** The same content, accepted at the same time, and the same of it is loaded. */
export function isSameAccepted(one: NodeVerdict['accepted'], other: NodeVerdict['accepted']): boolean {
  if (one === null || other === null) return one === other;
  return (
    one.contentHash === other.contentHash &&
    one.at === other.at &&
    isSameList(one.plugins, other.plugins, isSamePart) &&
    isSameList(one.loaded ?? [], other.loaded ?? [])
  );
}

function isSameRefused(one: NodeVerdict['refused'], other: NodeVerdict['refused']): boolean {
  if (one === null || other === null) return one === other;
  return (
    one.contentHash === other.contentHash &&
    one.plugin === other.plugin &&
    one.revision === other.revision &&
    one.message === other.message &&
    one.at === other.at &&
    one.healed === other.healed
  );
}

function toAccepted(
  known: Told,
  { contentHash, plugins }: Accepted,
  at: number,
  proven: ReadonlyMap<string, LoadedPart> | undefined,
): AcceptedContent {
  const loaded = proven === undefined ? [] : namesOfLoaded({ plugins }, proven);
  if (loaded.length > 0) return { contentHash, at, plugins, loaded };
  if (known.accepted?.at !== at) known.accepted = { contentHash, at, plugins };
  return known.accepted;
}

function withoutActive({ active: _active, ...refused }: NonNullable<SlotState['refused']>) {
  return refused;
}

/**
 * The slot of a process as it stood before our restart. Its tags are gone on purpose: the last push may not have
 * been recorded, and a tag used twice could repeat refused bytes, which Envoy ACKs and ignores.
 */
export function restoreSlot(verdict: NodeVerdict): SlotState {
  const { tried, accepted, refused } = verdict;
  return {
    ...newSlot(verdict.slot),
    accepted: accepted && toRestored(accepted),
    refused: refused && { ...refused, active: verdict.state === 'refused' },
    tried: tried && {
      contentHash: tried.contentHash,
      variant: 'verdict',
      tags: NO_TAGS,
      plugins: tried.plugins,
      clean: tried.acked && tried.contentHash === accepted?.contentHash,
    },
  };
}

function toRestored({ contentHash, plugins }: AcceptedContent): Accepted {
  return { contentHash, plugins, tags: NO_TAGS, number: undefined };
}
