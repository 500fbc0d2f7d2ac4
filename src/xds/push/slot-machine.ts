import type { SlotContent, WantedSlot } from '../../model/snapshot.ts';
import { NO_TAGS, parseVersion, partsIn, toTags } from './attempt.ts';
import type { Downloads } from './downloads.ts';
import { block, judgeNack, judgeWaiting } from './judge.ts';
import {
  type Accepted,
  containsRefused,
  IDLE,
  NO_MISSES,
  NO_NAMES,
  NONE_BLOCKED,
  newSlot,
  type SlotState,
  type Tried,
  targetOf,
} from './slot-state.ts';

export type SlotEvent =
  /** A request names the slot; `version` is what Envoy says it has. */
  | {
      readonly type: 'subscribed';
      readonly version?: string;
      readonly mayWarm: boolean;
      /** Until when it may (default: for ever). */
      readonly warmUntil?: number;
      /** Its listeners served without it before (default false). */
      readonly gained?: boolean;
    }
  | { readonly type: 'unsubscribed' }
  | { readonly type: 'wanted'; readonly want: WantedSlot }
  | { readonly type: 'ack' }
  /** `pushedAt`: when its push went out (default: when the state says). */
  | { readonly type: 'nack'; readonly message: string; readonly pushedAt?: number }
  /** Time passed, or a download of this process moved. */
  | { readonly type: 'tick' }
  | { readonly type: 'stream-closed' }
  /** Envoy may have tried something that we do not know of: push what it has again. */
  | { readonly type: 'heal' };

/** What the pure machine is told about the world. */
export interface SlotContext {
  readonly now: number;
  readonly downloads: Downloads;
}

/** The next state. Pure; what is to be sent is asked of findDue (next-push.ts). */
export function step(state: SlotState, event: SlotEvent, context: SlotContext): SlotState {
  switch (event.type) {
    case 'subscribed':
      return subscribed(state, event);
    case 'unsubscribed':
      // Envoy dropped the slot with its last user: when it comes back, a new listener waits for it.
      return { ...newSlot(state.slot), want: state.want, refused: state.refused };
    case 'wanted':
      return wanted(state, event.want);
    case 'ack':
      return acked(state, context);
    case 'nack':
      return nacked(state, event, context);
    case 'tick':
      return judgeWaiting(state, context);
    case 'stream-closed':
      return closed(state);
    case 'heal':
      return state.tried === null ? state : { ...state, tried: dirty(state.tried) };
    default:
      return event satisfies never;
  }
}

function subscribed(state: SlotState, event: SlotEvent & { type: 'subscribed' }): SlotState {
  const says = event.version === undefined ? undefined : parseVersion(event.version);
  const known = { ...state, subscribed: true, phase: IDLE, renew: NO_NAMES };
  if (says === undefined) {
    const first = state.tried === null && state.refused === null;
    const gained = first ? event.gained === true : state.gained;
    const { mayWarm, warmUntil = Number.POSITIVE_INFINITY } = event;
    return { ...known, mayWarm: mayWarm && first, warmUntil, gained, accepted: null };
  }
  // Nothing known of this process but its own word: what it has is also what it tried last, until an LDS NACK
  // or a stored attempt says otherwise.
  const tried = state.tried ?? { ...says, tags: NO_TAGS, plugins: [], clean: true };
  const same = tried.contentHash === says.contentHash && tried.variant === says.variant;
  // The same content was out once more when the stream broke: its version does not tell how that ended.
  const unsure = !tried.clean && state.accepted?.contentHash === says.contentHash;
  if (says.variant === 'warming') return { ...known, mayWarm: false, accepted: null, tried };
  const accepted = acceptedAs(state, says.contentHash);
  // Its ACK came while nobody heard or recorded it.
  const isNews = accepted !== state.accepted;
  return {
    ...known,
    mayWarm: false,
    tried: { ...tried, clean: same && !unsure },
    accepted,
    refused: isNews && isSuperseded(state, accepted) ? null : state.refused,
  };
}

/** What is known of the content whose version Envoy brings. */
function acceptedAs(state: SlotState, contentHash: string): Accepted {
  if (state.accepted?.contentHash === contentHash) return state.accepted;
  const content = [state.want?.wanted, state.want?.fallback].find(it => it?.contentHash === contentHash);
  const same = state.tried?.contentHash === contentHash ? state.tried : undefined;
  const plugins = content === undefined ? (same?.plugins ?? []) : partsIn(content);
  const tags = same?.tags ?? NO_TAGS;
  return { contentHash, plugins, tags, number: undefined, ...(content === undefined ? {} : { content }) };
}

function wanted(state: SlotState, want: WantedSlot): SlotState {
  const changed = state.want?.wanted.contentHash !== want.wanted.contentHash;
  const next = { ...state, want };
  if (!changed) return next;
  const { phase } = state;
  // The newest content wins: what was NACKed and is not wanted any more need not be judged.
  const stale =
    (phase.kind === 'judging' || phase.kind === 'downloading') &&
    phase.attempt.content.contentHash !== want.wanted.contentHash;
  return {
    ...next,
    phase: stale ? IDLE : phase,
    suspected: null,
    refusedContents: NO_NAMES,
    blocked: NONE_BLOCKED,
    misses: NO_MISSES,
    refused: state.refused && {
      ...state.refused,
      // Once the plugin went back, wanting the same revision again is somebody's retry.
      active: state.refused.active && containsRefused(state, want.wanted),
    },
  };
}

function acked(state: SlotState, context: SlotContext): SlotState {
  const { phase } = state;
  if (phase.kind !== 'in-flight') return state;
  const { attempt } = phase;
  // Cannot be: nobody can load the probe. Whatever it means, it proves nothing.
  if (attempt.isProbe)
    return block(state, state.suspected?.contentHash ?? '', 'the probe was ACKed', context.now);
  const tried = state.tried && { ...state.tried, clean: true };
  if (attempt.variant === 'warming')
    return { ...state, tried, phase: { kind: 'warming', attempt, ackedAt: context.now } };
  const { content } = attempt;
  return {
    ...state,
    tried,
    phase: IDLE,
    suspected: null,
    misses: NO_MISSES,
    blocked: withoutBlock(state.blocked, content),
    refused: refusalAfter(state, content),
    accepted: {
      contentHash: content.contentHash,
      content,
      plugins: partsIn(content),
      tags: toTags(content, attempt.tags),
      number: attempt.number,
    },
  };
}

function withoutBlock(blocked: SlotState['blocked'], { contentHash }: SlotContent): SlotState['blocked'] {
  if (!blocked.has(contentHash)) return blocked;
  const left = new Map(blocked);
  left.delete(contentHash);
  return left.size === 0 ? NONE_BLOCKED : left;
}

/** A refusal stays as state until a revision of its plugin at least as new is accepted. */
function refusalAfter(state: SlotState, content: SlotContent): SlotState['refused'] {
  if (state.refused === null || isSuperseded(state, content)) return null;
  return { ...state.refused, healed: true };
}

/**
 * While what was refused is still wanted, nothing supersedes its refusal: the last good content may hold a newer
 * revision (when an older one was applied again), and without the refusal the other would be pushed for ever.
 */
function isSuperseded(
  { refused, want }: SlotState,
  content: Pick<SlotContent, 'contentHash'> & {
    readonly plugins: readonly { plugin: string; revision: number }[];
  },
): boolean {
  if (refused === null || refused.active) return false;
  return refused.plugin === undefined
    ? content.contentHash === want?.wanted.contentHash
    : content.plugins.some(it => it.plugin === refused.plugin && it.revision >= (refused.revision ?? 0));
}

function nacked(state: SlotState, event: SlotEvent & { type: 'nack' }, context: SlotContext): SlotState {
  const { phase } = state;
  if (phase.kind !== 'in-flight') return state;
  const { message, pushedAt = phase.attempt.pushedAt } = event;
  const attempt = { ...phase.attempt, pushedAt };
  const target = targetOf(state, context.now, attempt.staying);
  const next: SlotState = { ...state, tried: dirty(state.tried) };
  // The newest content wins: nobody needs to know any more why this one was NACKed.
  const current = attempt.isProbe
    ? state.suspected?.contentHash === target?.contentHash
    : target === undefined || target.contentHash === attempt.content.contentHash;
  if (!current) return { ...next, phase: IDLE, suspected: null };
  return judgeNack({ ...next, phase: { kind: 'judging', attempt, nackedAt: context.now, message } }, context);
}

function closed(state: SlotState): SlotState {
  const unanswered = state.phase.kind !== 'idle' && state.phase.kind !== 'warming';
  return {
    ...state,
    subscribed: false,
    mayWarm: false,
    phase: IDLE,
    tried: unanswered ? dirty(state.tried) : state.tried,
  };
}

function dirty(tried: Tried | null): Tried | null {
  return tried && { ...tried, clean: false };
}
