import type { PluginInSlot } from '../../model/node-verdict.ts';
import { ofEach } from '../../model/of-each.ts';
import type { PluginContent, SlotContent } from '../../model/snapshot.ts';
import { findPart } from './part-places.ts';

/**
 * Warming: `nack_on_code_cache_miss: false`, right only while the listener that introduced the slot still
 * warms. Verdict: `true`, everything else, and in doubt (design 5.1).
 */
export type Variant = 'warming' | 'verdict';

/** One push of a slot's content to one process. */
export interface Attempt {
  readonly content: SlotContent;
  readonly variant: Variant;
  /** In the order of `content.plugins`. */
  readonly tags: readonly string[];
  /** How many pushes the process had before it. */
  readonly number: number;
  readonly pushedAt: number;
  /** Pushed only to see whether a GET comes (WantedSlot.probe). */
  readonly isProbe: boolean;
  /** Plugins that are to leave the slot, and stand in it until the next one holds them. */
  readonly staying: ReadonlySet<string>;
}

/** What each plugin of a push had as its tag. */
export interface Tags {
  readonly parts: readonly PluginInSlot[];
  /** In the order of `parts`. */
  readonly tags: readonly string[];
}

export const NO_TAGS: Tags = { parts: [], tags: [] };

/** Its plugins with their revisions: one array for all processes that have it. */
export const partsIn = ofEach((content: SlotContent): readonly PluginInSlot[] =>
  content.plugins.map(({ plugin, revision }) => ({ plugin, revision })),
);

/**
 * A tag that no earlier push to the process had: 16 random hex digits for the plugin at `index` of the content. Processes that
 * get the content with a push of the same number may share it: only in one process must no two pushes be alike.
 */
export type FreshTag = (content: SlotContent, number: number, index: number) => string;

/** What tells two pushes of a plugin apart apart from the tag. */
export function isSamePart(one: PluginInSlot, other: PluginInSlot): boolean {
  return one.plugin === other.plugin && one.revision === other.revision;
}

function tagOf({ parts, tags }: Tags, part: PluginInSlot): string | undefined {
  return tags[findSame(parts, part)];
}

/** -1: it is not among them, or another revision of it is. */
function findSame(parts: readonly PluginInSlot[], part: PluginInSlot): number {
  const at = findPart(parts, part.plugin);
  return parts[at]?.revision === part.revision ? at : -1;
}

/** What the last pushes of a slot were, as far as they decide the tags of the next. */
export interface TagHistory {
  /** Tags of the content last accepted. */
  readonly accepted: Tags;
  /** Parts of the content last tried. */
  readonly tried: readonly PluginInSlot[];
  /** The last push was ACKed, so Envoy's "last tried" is what it accepted. */
  readonly clean: boolean;
  /** Names of plugins that must have a new one. */
  readonly renew: ReadonlySet<string>;
}

/**
 * Tags for a push. What is in the accepted content keeps its tag, so that a push changes the bytes of the plugins
 * that changed, and no others (design 5.4). After a push that was not ACKed at least one tag is new: Envoy ACKs
 * and ignores bytes equal to the last it tried, refused ones too.
 */
export function chooseTags(
  content: SlotContent,
  history: TagHistory,
  freshTag: (index: number) => string,
): readonly string[] {
  const { accepted, tried, clean, renew } = history;
  const kept = content.plugins.map(plugin => {
    const mayStay = !renew.has(plugin.plugin) && (clean || findSame(tried, plugin) >= 0);
    return mayStay ? tagOf(accepted, plugin) : undefined;
  });
  const all = !clean && !kept.includes(undefined);
  return kept.map((known, i) => (all || known === undefined ? freshTag(i) : known));
}

export function toTags(content: SlotContent, tags: readonly string[]): Tags {
  return { parts: partsIn(content), tags };
}

/** The version of a slot's content on the wire: a `w` never counts as accepted (design 5.5). */
export function toVersion(contentHash: string, variant: Variant): string {
  return `${contentHash}.${variant === 'warming' ? 'w' : 'v'}`;
}

/** The inverse of toVersion; undefined for a version that is not ours. */
export function parseVersion(version: string): { contentHash: string; variant: Variant } | undefined {
  const match = /^(.+)\.([wv])$/.exec(version);
  if (match?.[1] === undefined) return undefined;
  return { contentHash: match[1], variant: match[2] === 'w' ? 'warming' : 'verdict' };
}

/** The longest time Envoy may take for a module: its remote timeout, 10 s plus the size at 1 MB/s. */
export function fetchTimeoutMs(content: SlotContent): number {
  const largest = Math.max(0, ...content.plugins.map(plugin => plugin.moduleSizeBytes));
  return 10_000 + Math.ceil(largest / 1000);
}

/** The plugin that Envoy's text names; undefined when it names none of the content's. */
export function findNamedPlugin(content: SlotContent, message: string): PluginContent | undefined {
  const named = /Unable to create Wasm plugin (\S+)/.exec(message)?.[1];
  return content.plugins.find(plugin => plugin.plugin === named);
}
