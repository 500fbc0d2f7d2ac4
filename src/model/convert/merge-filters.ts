import { toCanonicalJson } from '../plugin-spec.ts';
import type { PatchedFilter } from './envoy-filter-patch.ts';
import type { DraftField } from './plugin-draft.ts';

/** Leaves room for others between two. */
const PRIORITY_STEP = 10;

/** Filters that differ by nothing but the traffic that they see are one, with the traffic of all. */
export function mergeFilters(filters: readonly PatchedFilter[]): readonly PatchedFilter[] {
  const merged = new Map<string, PatchedFilter>();
  for (const filter of filters) {
    const key = toKey(filter);
    const same = merged.get(key);
    merged.set(key, same === undefined ? filter : withTraffic(same, filter));
  }
  return [...merged.values()];
}

function toKey({ draft: { name, fields } }: PatchedFilter): string {
  const { match: _, ...rest } = fields;
  return toCanonicalJson([name, Object.entries(rest).map(([field, one]) => [field, one?.value])]);
}

function withTraffic(one: PatchedFilter, other: PatchedFilter): PatchedFilter {
  const match = unite(one.draft.fields.match, other.draft.fields.match);
  return { ...one, draft: { ...one.draft, fields: { ...one.draft.fields, match } } };
}

/** None means every listener. */
function unite(a: DraftField | undefined, b: DraftField | undefined): DraftField | undefined {
  if (a === undefined || b === undefined) return undefined;
  const entries = [...(a.value as readonly unknown[]), ...(b.value as readonly unknown[])];
  const unique = new Map(entries.map(entry => [toCanonicalJson(entry), entry]));
  return { value: [...unique.values()], part: a.part };
}

/**
 * Several plugins of a phase get descending priorities in the order that the patches give them: each that comes right
 * behind something, or first of all, pushes those before it back.
 */
export function withPriorities(filters: readonly PatchedFilter[]): readonly PatchedFilter[] {
  const phases = Map.groupBy(filters, ({ draft }) => draft.fields.phase?.value);
  return filters.map(filter => {
    const group = phases.get(filter.draft.fields.phase?.value) ?? [];
    if (group.length < 2) return filter;
    const behind = group.filter(({ order }) => order === 'behind').toReversed();
    const chain = [...behind, ...group.filter(({ order }) => order === 'before')];
    const value = (chain.length - chain.indexOf(filter)) * PRIORITY_STEP;
    const priority = { value, part: filter.draft.part };
    return { ...filter, draft: { ...filter.draft, fields: { ...filter.draft.fields, priority } } };
  });
}
