import { toCountText } from '../model/quantity-text.ts';
import type { Revision } from '../model/revision.ts';
import type { Rollout } from '../model/rollout.ts';
import type { Store } from '../store/store.ts';
import type { Fleet } from './fleet.ts';
import { diffLeaves, diffRevisions } from './plan-diff.ts';
import { toTitle } from './rollout-words.ts';
import { toTime } from './schema/metadata.ts';
import type { ConfigChange, HistoryRow } from './schema/rollout-view.ts';

/** The rollouts of a plugin with what each changed and what became of it, newest first. */
export async function readHistory(store: Store, fleet: Fleet, plugin: string): Promise<HistoryRow[]> {
  const { records } = await store.list('Revision', `${plugin}/`);
  const revisions = new Map(records.map(({ value }) => [value.number, value]));
  return (fleet.rollouts.get(plugin) ?? []).map(rollout => toHistoryRow(rollout, revisions, fleet.now));
}

function toHistoryRow(rollout: Rollout, revisions: ReadonlyMap<number, Revision>, now: number): HistoryRow {
  const { id, number, kind, from, to, phase, by, note, startedAt, endedAt } = rollout;
  const revision = to?.revision ?? null;
  const after = revision === null ? undefined : revisions.get(revision);
  const before = from.revision === null ? undefined : revisions.get(from.revision);
  return {
    kind: 'RolloutSummary',
    rollout: id,
    number,
    change: kind,
    title: toTitle(rollout),
    revision,
    digest: after?.module.sha256.slice(0, 12) ?? null,
    config: after?.configHash.slice(0, 6) ?? null,
    diff: toDiff(rollout, before, after),
    result: phase,
    by,
    message: note ?? null,
    cause: toShortCause(rollout),
    startedAt: toTime(startedAt),
    endedAt: endedAt === undefined ? null : toTime(endedAt),
    durationMs: (endedAt ?? now) - startedAt,
  };
}

/** Against what the nodes ran before; a first install and a delete differ in everything, which is no news. */
function toDiff(
  { from, to }: Rollout,
  before: Revision | undefined,
  after: Revision | undefined,
): ConfigChange[] {
  const placement = to === null ? [] : diffLeaves(from.placement, to.placement, 'spec');
  if (before === undefined || after === undefined) return from.revision === null ? [] : placement;
  return [...diffRevisions(before, after), ...placement];
}

/** `refused by 3 nodes`, `5xx on edge-b-112`; null where nothing failed. */
function toShortCause({ failure, phase, why, code }: Rollout): string | null {
  if (phase === 'NotStarted') return code ?? why ?? null;
  if (failure === undefined) return null;
  const where =
    failure.count === 1 && failure.node !== undefined ? failure.node : toCountText(failure.count, 'node');
  switch (failure.kind) {
    case 'refusal':
      return `refused by ${where}`;
    case 'broken':
      return `5xx on ${where}`;
    case 'reload':
      return `crashed on ${where}`;
    case 'gate':
      return `gate ${failure.gate ?? ''}`;
    case 'deadline':
      return `no answer from ${where} in time`;
    case 'unreachable':
      return `module out of reach for ${where}`;
    case 'abort':
      return null;
    default:
      return failure.kind satisfies never;
  }
}
