import type { NodeVerdict } from './node-verdict.ts';
import { findInSlot, isProbe, isUnanswered, type Place } from './plugin-place.ts';
import type { PluginName } from './plugin-spec.ts';
import type { NodePluginState } from './plugin-state.ts';

/** What one place says about a plugin. */
export type StatePart = Pick<NodePluginState, 'state' | 'reason' | 'detail' | 'since'>;

/** What a place is asked about. */
export interface PlaceAim {
  readonly plugin: PluginName;
  /** When the node came to be asked for it: an older refusal belongs to an earlier try. */
  readonly assignedAt: number;
  readonly now: number;
  readonly staleAfterMs: number;
}

const PLAIN = { reason: null, detail: null } as const;

/** How far a place is on its way to a revision; undefined: it says nothing about the plugin, and need not. */
export function deriveAtPlace(
  aim: PlaceAim & { readonly wanted: number },
  { verdict, certain }: Place,
): StatePart | undefined {
  const { plugin, wanted } = aim;
  const tried = findInSlot(verdict?.tried, plugin);
  const accepted = findInSlot(verdict?.accepted, plugin);
  if (verdict === undefined || (tried === undefined && accepted === undefined))
    return certain ? { state: 'Pending', ...PLAIN, detail: 'not sent yet', since: null } : undefined;
  const isMoving = isUnanswered(verdict) && tried?.revision !== wanted;
  if (accepted?.revision === wanted && !isMoving) return deriveAccepted(plugin, verdict);
  if (isRefused(aim, verdict)) return { state: 'Refused', ...PLAIN, since: verdict.refused?.at ?? null };
  if (tried === undefined && !certain && !isProbe(verdict.tried?.plugins ?? []))
    return deriveLeaving(aim, verdict);
  if (tried?.revision !== wanted) return { state: 'Pending', ...PLAIN, since: null };
  return deriveSent(aim, verdict);
}

/** How far a place is with letting go of a plugin that it holds, or may hold. */
export function deriveLeaving(aim: PlaceAim, verdict: NodeVerdict): StatePart {
  const isSent = isUnanswered(verdict) && findInSlot(verdict.tried, aim.plugin) === undefined;
  return isSent ? deriveSent(aim, verdict) : { state: 'Pending', ...PLAIN, since: null };
}

function deriveAccepted(plugin: PluginName, { accepted, since }: NodeVerdict): StatePart {
  const state = accepted?.loaded?.includes(plugin) === true ? 'Loaded' : 'Accepted';
  return { state, ...PLAIN, since: accepted?.at ?? since };
}

function deriveSent({ now, staleAfterMs }: PlaceAim, verdict: NodeVerdict): StatePart {
  const { state, since } = verdict;
  if (state === 'unreachable')
    return {
      state: 'Fetching',
      reason: 'Unreachable',
      detail: 'this Envoy cannot get the module from Attaché: is the modules address reachable from there?',
      since,
    };
  if (state === 'fetching') return { state: 'Fetching', ...PLAIN, since };
  return { state: now - since >= staleAfterMs ? 'Stale' : 'Sent', ...PLAIN, since };
}

/** Envoy names the plugin it refuses; where it names none, any that was in the try may be it. */
function isRefused(
  { plugin, wanted, assignedAt }: PlaceAim & { readonly wanted: number },
  verdict: NodeVerdict,
): boolean {
  const { refused, tried, state } = verdict;
  if (refused === null || (state !== 'refused' && refused.at < assignedAt)) return false;
  if (refused.plugin !== undefined) return refused.plugin === plugin && refused.revision === wanted;
  return findInSlot(tried, plugin)?.revision === wanted;
}
