import type { Event } from '../model/event.ts';
import type { Rollout } from '../model/rollout.ts';
import type { Stored } from '../store/store.ts';
import { toEventId, toRolloutEventId } from './event-id.ts';
import type { EventView, RolloutUpdated } from './schema/event-view.ts';
import { toTime } from './schema/metadata.ts';

/** Something that a stream of events tells: a stored line, or where a changed rollout stands. */
export interface EventItem {
  /** The store revision that wrote it. */
  readonly revision: number;
  /** What a time asked for is compared with, ms: when it happened, or the rollout's phase began. */
  readonly at: number;
  readonly view: EventView | RolloutUpdated;
}

/** All that is given must hold. */
export interface EventFilter {
  /** `<namespace>/<name>` */
  readonly plugin?: string | undefined;
  readonly node?: string | undefined;
  /** What the dotted type begins with. */
  readonly type?: string | undefined;
}

/** Those of the items that a reader may see; undefined: from now on none. */
export type SeeEvents = (items: readonly EventItem[]) => Promise<readonly EventItem[] | undefined>;

export function toEventItem({ key, value, revision }: Stored<Event>): EventItem {
  return {
    revision,
    at: value.at,
    view: {
      kind: 'Event',
      id: toEventId(revision, key),
      type: value.type,
      at: toTime(value.at),
      plugin: value.plugin ?? null,
      node: value.node ?? null,
      message: value.message,
    },
  };
}

export function toRolloutItem({ key, value, revision }: Stored<Rollout>): EventItem {
  return {
    revision,
    at: value.since,
    view: {
      kind: 'RolloutUpdated',
      id: toRolloutEventId(revision, key),
      type: 'rollout.updated',
      rollout: value.id,
      plugin: value.plugin,
      phase: value.phase,
      reason: value.reason ?? null,
      since: toTime(value.since),
      step: value.step < 0 ? null : value.step + 1,
      steps: value.steps.length,
      stage: value.stage,
    },
  };
}

/** A rollout is of no single node, so a reader who asks for one node is not told of it. */
export function matchesFilter({ view }: EventItem, { plugin, node, type }: EventFilter): boolean {
  if (plugin !== undefined && view.plugin !== plugin) return false;
  if (node !== undefined && (view.kind !== 'Event' || view.node !== node)) return false;
  return type === undefined || view.type.startsWith(type);
}

export function compareItems(a: EventItem, b: EventItem): number {
  return a.view.id < b.view.id ? -1 : a.view.id > b.view.id ? 1 : 0;
}
