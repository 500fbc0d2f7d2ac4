import type { LimitList } from '../api/schema/limit-view.ts';
import type { ModuleView } from '../api/schema/module-view.ts';
import type { NodeGroupView } from '../api/schema/node-group-view.ts';
import type { NodeView } from '../api/schema/node-view.ts';
import type { PluginView } from '../api/schema/plugin-view.ts';
import type { PullSecretView } from '../api/schema/pull-secret-view.ts';
import type { ResourceView } from '../api/schema/resource-view.ts';
import type { RolloutView } from '../api/schema/rollout-view.ts';
import type { TokenView } from '../api/schema/token-view.ts';
import type { WebhookView } from '../api/schema/webhook-view.ts';
import { XDS_TYPES } from '../model/type-url.ts';
import {
  LIMITS,
  type Listing,
  MODULES,
  NODE_GROUPS,
  NODES,
  PLUGINS,
  PULL_SECRETS,
  RESOURCES,
  ROLLOUTS,
  toTable,
} from './listings.ts';
import { toPath } from './rest-client.ts';
import { formatItems, type Output } from './show-items.ts';
import type { Table } from './table.ts';
import { NODE_GROUP_WORDS, PULL_SECRET_WORDS, toSingular, toUnknownKind } from './target.ts';
import { TOKENS } from './token-listing.ts';
import { WEBHOOKS } from './webhook-listing.ts';

/** What `attache get` lists. Items are what the server answered, of the kind's own type. */
export interface Kind {
  /** As people type it; the singular is understood as well. */
  readonly plural: string;
  /** Other words for it. */
  readonly aliases: readonly string[];
  /** Of the list. */
  readonly path: string;
  /** undefined: things of this kind have no namespace. */
  namespaceOf(item: unknown): string | undefined;
  /** What `-o name` prints: `plugin/default/auth`. */
  nameOf(item: unknown): string;
  /** Empty where there is nothing to say. */
  format(items: readonly unknown[], output: Output, nowMs: number): string;
  toTable(items: readonly unknown[], nowMs: number, wide: boolean): Table;
}

/** The items of a kind's path are of the listing's type: the one place that says so. */
function toKind<T>(
  plural: string,
  path: string,
  listing: Listing<T>,
  namespaceOf: ((item: T) => string) | undefined,
  aliases: readonly string[] = [],
): Kind {
  return {
    plural,
    aliases,
    path,
    namespaceOf: item => namespaceOf?.(item as T),
    nameOf: item => listing.name(item as T),
    format: (items, output, nowMs) => formatItems(listing, items as readonly T[], output, nowMs),
    toTable: (items, nowMs, wide) => toTable(listing, items as readonly T[], nowMs, wide),
  };
}

const ofMetadata = ({ metadata }: { readonly metadata: { readonly namespace: string } }) =>
  metadata.namespace;

/** In the order of help texts. */
export const KINDS: readonly Kind[] = [
  toKind<PluginView>('plugins', '/v1/plugins', PLUGINS, ofMetadata, ['wasmplugin', 'wasmplugins']),
  toKind<NodeView>('nodes', '/v1/nodes', NODES, ofMetadata),
  toKind<NodeGroupView>('nodegroups', '/v1/nodegroups', NODE_GROUPS, ofMetadata, NODE_GROUP_WORDS),
  toKind<RolloutView>('rollouts', '/v1/rollouts', ROLLOUTS, ({ plugin }) => plugin.split('/')[0] ?? ''),
  toKind<ModuleView>('modules', '/v1/modules', MODULES, undefined),
  toKind<ResourceView>('resources', '/v1/resources', RESOURCES, ofMetadata),
  ...XDS_TYPES.map(({ plural }) =>
    toKind<ResourceView>(plural, toPath('v1', 'resources', plural), RESOURCES, ofMetadata),
  ),
  toKind<PullSecretView>('pullsecrets', '/v1/pullsecrets', PULL_SECRETS, ofMetadata, PULL_SECRET_WORDS),
  toKind<TokenView>('tokens', '/v1/tokens', TOKENS, undefined),
  toKind<WebhookView>('webhooks', '/v1/webhooks', WEBHOOKS, undefined),
  toKind<LimitList['items'][number]>('limits', '/v1/limits', LIMITS, undefined),
];

/** `plugin`, `Plugins`. Throws CliError `bad-usage` with the nearest word. */
export function findKind(word: string): Kind {
  const lower = word.toLowerCase();
  const found = KINDS.find(
    ({ plural, aliases }) => plural === lower || toSingular(plural) === lower || aliases.includes(lower),
  );
  if (found !== undefined) return found;
  throw toUnknownKind(
    word,
    KINDS.map(({ plural }) => plural),
  );
}
