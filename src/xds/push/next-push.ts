import type { SlotContent } from '../../model/snapshot.ts';
import {
  type Attempt,
  chooseTags,
  type FreshTag,
  fetchTimeoutMs,
  NO_TAGS,
  partsIn,
  type TagHistory,
  toTags,
  type Variant,
} from './attempt.ts';
import { GET_GRACE_MS } from './downloads.ts';
import { settleMs } from './judge.ts';
import { isSettled, NO_NAMES, type SlotState, type Tried, targetOf } from './slot-state.ts';

/* What is due for a slot, and when the machine wants to be woken. Pure. */

/** What is to be pushed to a slot. */
export interface DuePush {
  readonly content: SlotContent;
  readonly isProbe: boolean;
  readonly staying: ReadonlySet<string>;
}

/** undefined: nothing is due. `staying`: plugins that must not leave yet. */
export function findDue(
  state: SlotState,
  now: number,
  staying: ReadonlySet<string> = NO_NAMES,
): DuePush | undefined {
  if (!state.subscribed || state.phase.kind !== 'idle') return undefined;
  const target = targetOf(state, now, staying);
  const isProbe = state.suspected?.probing === true && state.suspected.contentHash === target?.contentHash;
  const content = isProbe ? state.want?.probe() : target;
  if (content === undefined || (!isProbe && isSettled(state, content))) return undefined;
  return { content, isProbe, staying };
}

/** A push, and the state once it is out. */
export interface Pushed {
  readonly state: SlotState;
  readonly attempt: Attempt;
}

/** `number`: how many pushes the process had before. */
export function toPush(
  state: SlotState,
  { content, isProbe, staying }: DuePush,
  now: number,
  number: number,
  freshTag: FreshTag,
): Pushed {
  const warms = state.mayWarm && now < state.warmUntil && content.plugins.length > 0;
  const variant: Variant = warms ? 'warming' : 'verdict';
  const tags = chooseTags(content, tagHistory(state), i => freshTag(content, number, i));
  const attempt: Attempt = { content, variant, tags, number, pushedAt: now, isProbe, staying };
  const tried: Tried = {
    contentHash: content.contentHash,
    variant,
    tags: toTags(content, tags),
    plugins: partsIn(content),
    clean: false,
  };
  return {
    attempt,
    state: { ...state, phase: { kind: 'in-flight', attempt }, tried, mayWarm: false, renew: NO_NAMES },
  };
}

function tagHistory({ accepted, tried, renew }: SlotState): TagHistory {
  return {
    accepted: accepted?.tags ?? NO_TAGS,
    tried: tried?.plugins ?? [],
    clean: tried?.clean ?? true,
    renew,
  };
}

/**
 * When `tick` is to come at the latest, even if nothing happens. It may be now: another event of the same
 * millisecond must not swallow it.
 */
export function nextWake(state: SlotState, now: number): number | undefined {
  const { phase } = state;
  switch (phase.kind) {
    case 'judging':
      return phase.nackedAt + GET_GRACE_MS + 1;
    case 'warming': {
      const quiet = phase.ackedAt + GET_GRACE_MS + 1;
      return now <= quiet ? quiet : phase.ackedAt + fetchTimeoutMs(phase.attempt.content) + 1;
    }
    case 'downloading':
      return phase.endedAt === undefined
        ? phase.nackedAt + fetchTimeoutMs(phase.attempt.content) + 1
        : phase.endedAt + settleMs(state, phase);
    case 'in-flight':
      return undefined;
    case 'idle': {
      // A push that is due already is not waited for.
      if (!state.subscribed || state.blocked.size === 0) return undefined;
      const untils = [...state.blocked.values()].map(blocked => blocked.until).filter(until => until > now);
      return untils.length > 0 ? Math.min(...untils) : undefined;
    }
    default:
      return phase satisfies never;
  }
}
