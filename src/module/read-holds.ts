import { findModuleHolds, type HoldRecords, type ModuleHold } from '../model/module-holds.ts';
import type { Change, Kind, Records, Store } from '../store/store.ts';

const KINDS = [
  'PluginSpec',
  'Revision',
  'ModuleProgress',
  'Assignment',
  'Rollout',
  'NodeVerdict',
] as const satisfies readonly Kind[];

/** What the store says of who needs which module, as of one moment: read one after the other a record could slip through. */
export async function readHoldRecords(store: Store, now: number): Promise<HoldRecords> {
  const ended = new AbortController();
  try {
    for await (const changes of store.watch(KINDS, ended.signal)) return toRecords(changes, now);
  } finally {
    ended.abort();
  }
  throw new Error('the store was closed');
}

/** By hex sha256. */
export async function readModuleHolds(
  store: Store,
  now: number,
): Promise<ReadonlyMap<string, readonly ModuleHold[]>> {
  return findModuleHolds(await readHoldRecords(store, now));
}

function toRecords(changes: readonly Change[], now: number): HoldRecords {
  const records: { [K in Kind]?: Records[K][] } = {};
  const of = <K extends Kind>(kind: K): readonly Records[K][] => records[kind] ?? [];
  for (const change of changes.toSorted((a, b) => (a.key < b.key ? -1 : 1))) add(records, change);
  return {
    specs: of('PluginSpec'),
    revisions: of('Revision'),
    progress: of('ModuleProgress'),
    assignments: of('Assignment'),
    rollouts: of('Rollout'),
    verdicts: of('NodeVerdict'),
    now,
  };
}

function add<K extends Kind>(records: { [K in Kind]?: Records[K][] }, change: Change & { kind: K }): void {
  if (change.stored === undefined) return;
  const list: Records[K][] = records[change.kind] ?? [];
  list.push(change.stored.value as Records[K]);
  records[change.kind] = list as (typeof records)[K];
}
