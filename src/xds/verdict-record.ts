import type { AcceptedContent, NodeVerdict, VerdictState } from '../model/node-verdict.ts';
import { type LoadedPart, namesOfLoaded } from './loaded/loaded-parts.ts';
import { NO_TAGS } from './push/attempt.ts';
import { newSlot, type SlotState } from './push/slot-state.ts';

/** The word for a slot: what its process said or showed about the content it was to have. */
export function toVerdictState(state: SlotState): VerdictState {
  const wanted = state.want?.wanted;
  if (state.refused?.active === true) return 'refused';
  if (wanted !== undefined && state.blocked.has(wanted.contentHash)) return 'unreachable';
  if (state.phase.kind === 'downloading' || state.phase.kind === 'warming') return 'fetching';
  if (wanted !== undefined && state.accepted?.contentHash === wanted.contentHash) return 'accepted';
  return 'sent';
}

/**
 * The record of a slot; `previous` keeps `since` where the state did not change, `loaded` is what was proven of it.
 */
export function toVerdict(
  node: string,
  process: string,
  state: SlotState,
  previous: NodeVerdict | undefined,
  now: number,
  loaded?: ReadonlyMap<string, LoadedPart>,
): NodeVerdict {
  const word = toVerdictState(state);
  const { tried, accepted, refused } = state;
  return {
    node,
    process,
    slot: state.slot,
    state: word,
    since: previous?.state === word && previous.process === process ? previous.since : now,
    tried: tried && { contentHash: tried.contentHash, acked: tried.clean, plugins: tried.plugins },
    accepted: accepted && toAccepted(accepted, loaded),
    refused: refused && withoutActive(refused),
  };
}

function toAccepted(
  { contentHash, at, plugins }: AcceptedContent,
  proven: ReadonlyMap<string, LoadedPart> | undefined,
): AcceptedContent {
  const loaded = namesOfLoaded({ plugins }, proven);
  return { contentHash, at, plugins, ...(loaded.length === 0 ? {} : { loaded }) };
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
    accepted: accepted && { ...accepted, tags: NO_TAGS },
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
