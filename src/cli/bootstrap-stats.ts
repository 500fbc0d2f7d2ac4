import { isMap, isSeq } from 'yaml';
import type { BootstrapFile } from './bootstrap-file.ts';
import { findManagers, listListeners } from './bootstrap-listeners.ts';
import { toStatsSink, XDS_CLUSTER } from './bootstrap-parts.ts';
import type { BootstrapProof } from './bootstrap-proof.ts';
import { describeLostStats, type StatsConfig } from './stats-matcher.ts';

/** What was done to the sinks, and what of the user's settings keeps numbers from Attaché. */
export interface StatsChange {
  readonly added: boolean;
  /** A sentence each. */
  readonly lost: readonly string[];
}

/** Adds the sink to Attaché beside those of the user, a metrics service of another one too. */
export function editStats(
  file: BootstrapFile,
  proof: BootstrapProof,
  additions: Record<string, unknown>,
): StatsChange {
  const { splice, root } = file;
  const sink = toStatsSink(proof);
  const key = splice.has(root, 'statsSinks') ? 'statsSinks' : 'stats_sinks';
  const own = splice.get(root, key);
  const added = !splice.items(own).some(own => leadsToUs(file, own));
  if (added) {
    if (isSeq(own) || isMap(own)) splice.insertItems(own, [sink]);
    else if (splice.has(root, key)) splice.setEntry(root, key, [sink]);
    else additions.stats_sinks = [sink];
  }
  return { added, lost: findLost(file) };
}

function leadsToUs(file: BootstrapFile, sink: unknown): boolean {
  const { splice } = file;
  const config = splice.get(sink, 'typed_config', 'typedConfig');
  const isService = splice.text(config, '@type')?.endsWith('.MetricsServiceConfig') ?? false;
  const service = splice.get(config, 'grpc_service', 'grpcService');
  const cluster = splice.text(splice.get(service, 'envoy_grpc', 'envoyGrpc'), 'cluster_name', 'clusterName');
  return isService && cluster === XDS_CLUSTER;
}

function findLost(file: BootstrapFile): readonly string[] {
  const { splice, root } = file;
  const prefixes = listListeners(file)
    .flatMap(listener => findManagers(splice, listener))
    .flatMap(manager => splice.text(manager, 'stat_prefix', 'statPrefix') ?? []);
  const config = splice.get(root, 'stats_config', 'statsConfig');
  const value = isMap(config) ? toSnakeCase(config.toJS(splice.document)) : undefined;
  const lost = describeLostStats(value as StatsConfig | undefined, prefixes);
  const isPulled = splice.text(root, 'stats_flush_on_admin', 'statsFlushOnAdmin') === 'true';
  const what = 'stats_flush_on_admin: stats go out only while somebody asks the admin interface';
  return [...lost.map(one => `stats_config ${one}`), ...(isPulled ? [what] : [])];
}

/** Keys of a value as Envoy's documentation writes them; a field may also stand there in camel case. */
export function toSnakeCase(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toSnakeCase);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, entry]) => [
      /^[a-z][a-zA-Z0-9]*$/.test(key) ? key.replace(/[A-Z]/g, c => `_${c.toLowerCase()}`) : key,
      toSnakeCase(entry),
    ]),
  );
}
