import type { AcceptedContent } from '../../model/node-verdict.ts';
import type { PluginName } from '../../model/plugin-spec.ts';
import type { Part, SlotParts } from './live-parts.ts';

/** A plugin that was proven to run on every worker. */
export interface LoadedPart {
  readonly revision: number;
  /** undefined: proven before our start; good for as long as the slot's content stays. */
  readonly partHash: string | undefined;
}

/** By slot and plugin. */
export type LoadedParts = ReadonlyMap<string, ReadonlyMap<PluginName, LoadedPart>>;

export interface SlotPart {
  readonly slot: string;
  readonly part: Part;
}

/** What a record says of it. */
export function restoreLoaded({ plugins, loaded = [] }: AcceptedContent): Map<PluginName, LoadedPart> {
  const known = plugins.filter(({ plugin }) => loaded.includes(plugin));
  return new Map(known.map(({ plugin, revision }) => [plugin, { revision, partHash: undefined }]));
}

/** Names for the record, in the order of the content. */
export function namesOfLoaded(
  { plugins }: Pick<AcceptedContent, 'plugins'>,
  loaded: ReadonlyMap<PluginName, LoadedPart> | undefined,
): readonly PluginName[] {
  return plugins
    .filter(({ plugin, revision }) => loaded?.get(plugin)?.revision === revision)
    .map(({ plugin }) => plugin);
}

/** What stays proven when slots change: a plugin whose own part of the content is the same keeps its VMs. */
export function keepLoaded(
  loaded: LoadedParts,
  before: ReadonlyMap<string, SlotParts>,
  now: ReadonlyMap<string, SlotParts>,
): LoadedParts {
  if (before === now || loaded.size === 0) return loaded;
  let next: Map<string, ReadonlyMap<PluginName, LoadedPart>> | undefined;
  for (const [slot, known] of loaded) {
    const kept = keepInSlot(known, before.get(slot), now.get(slot));
    if (kept === known) continue;
    next ??= new Map(loaded);
    if (kept.size === 0) next.delete(slot);
    else next.set(slot, kept);
  }
  return next ?? loaded;
}

function keepInSlot(
  known: ReadonlyMap<PluginName, LoadedPart>,
  before: SlotParts | undefined,
  now: SlotParts | undefined,
): ReadonlyMap<PluginName, LoadedPart> {
  const isSame = before?.contentHash === now?.contentHash;
  if (isSame && (now?.parts === undefined || [...known.values()].every(it => it.partHash !== undefined)))
    return known;
  const kept = (now?.parts ?? []).filter(({ plugin, revision, partHash }) => {
    const it = known.get(plugin);
    return it?.revision === revision && (it.partHash === partHash || (isSame && it.partHash === undefined));
  });
  if (!isSame && kept.length === known.size && kept.every(it => known.get(it.plugin)?.partHash !== undefined))
    return known;
  return new Map(kept.map(({ plugin, revision, partHash }) => [plugin, { revision, partHash }]));
}

export function withLoaded(loaded: LoadedParts, proven: readonly SlotPart[]): LoadedParts {
  const next = new Map(loaded);
  for (const { slot, part } of proven)
    next.set(
      slot,
      new Map(next.get(slot)).set(part.plugin, { revision: part.revision, partHash: part.partHash }),
    );
  return next;
}
