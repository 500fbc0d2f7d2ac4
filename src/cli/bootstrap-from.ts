import { isMap, isScalar, isSeq, LineCounter, parseDocument, type YAMLMap } from 'yaml';
import type { BootstrapFacts } from '../model/node.ts';
import { type BootstrapOptions, toAdmin, toNodeMetadata, toPlaceNames } from './bootstrap-document.ts';
import { addPlaces, type ListenerChange } from './bootstrap-listeners.ts';
import {
  toAdsConfig,
  toClusters,
  toLayeredRuntime,
  toOverAds,
  toStatsSink,
  XDS_CLUSTER,
} from './bootstrap-parts.ts';
import { CliError } from './cli-error.ts';
import { YamlSplice } from './yaml-splice.ts';

/** A user's bootstrap with what Attaché needs, and what was done to it. */
export interface ManagedBootstrap {
  readonly text: string;
  readonly id: string;
  readonly cluster: string;
  readonly clusterCount: number;
  readonly addedClusters: readonly string[];
  readonly addedStatsSink: boolean;
  readonly listeners: readonly ListenerChange[];
  /** Parts of the user's that stand where ours would, and were left alone. */
  readonly kept: readonly string[];
}

/**
 * Edits the text of a bootstrap in place: node, ADS, two clusters, the stats sink, and the places before the
 * router of every HTTP connection manager. Every other byte stays. Throws CliError `bad-file`.
 */
export function manageBootstrap(text: string, file: string, options: BootstrapOptions): ManagedBootstrap {
  const { splice, root } = parse(text, file);
  const additions: Record<string, unknown> = {};
  const kept: string[] = [];
  const listeners = addPlaces(splice, root, toPlaceNames(options), options.layout, options.unanswered);
  const facts: BootstrapFacts = {
    unanswered: options.unanswered,
    listeners: listeners.map(one => one.facts),
  };
  const node = editNode(splice, root, file, options, facts, additions);
  editDynamicResources(splice, root, file, additions, kept);
  const clusters = editClusters(splice, root, options, additions, kept);
  const addedStatsSink = editStatsSinks(splice, root, additions, kept);
  if (options.adminPort !== undefined) {
    if (splice.get(root, 'admin') === undefined) additions.admin = toAdmin(options.adminPort);
    else kept.push('admin');
  }
  if (options.runtimes.length > 0) {
    if (splice.get(root, 'layered_runtime') === undefined)
      additions.layered_runtime = toLayeredRuntime(options.runtimes);
    else kept.push('layered_runtime');
  }
  splice.addEntries(root, additions);
  return { text: splice.apply(), ...node, ...clusters, addedStatsSink, listeners, kept };
}

function parse(text: string, file: string): { splice: YamlSplice; root: YAMLMap } {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { keepSourceTokens: true, lineCounter, prettyErrors: false });
  const error = document.errors[0];
  if (error !== undefined) {
    const { line, col } = lineCounter.linePos(error.pos[0]);
    throw new CliError('bad-file', `${file}:${line}:${col}: ${error.message}`);
  }
  if (!isMap(document.contents))
    throw new CliError('bad-file', `${file}: not an Envoy bootstrap: expected a map`);
  return { splice: new YamlSplice(text, document), root: document.contents };
}

function editNode(
  splice: YamlSplice,
  root: YAMLMap,
  file: string,
  options: BootstrapOptions,
  facts: BootstrapFacts,
  additions: Record<string, unknown>,
): { id: string; cluster: string } {
  const node = splice.get(root, 'node');
  const oldId = text(splice.get(node, 'id'));
  const oldCluster = text(splice.get(node, 'cluster'));
  const id = options.id ?? oldId;
  if (id === undefined) throw new CliError('bad-usage', `${file} has no node.id; name the node: --id ID`);
  const cluster = options.cluster ?? oldCluster ?? id;
  const metadata = { ...toNodeMetadata(options), attache: facts };
  if (!isMap(node)) {
    // Also the entry without a value: `node:`
    if (splice.has(root, 'node')) splice.setEntry(root, 'node', { id, cluster, metadata });
    else additions.node = { id, cluster, metadata };
    return { id, cluster };
  }
  const missing: Record<string, unknown> = {};
  for (const [key, old, wanted] of [['id', oldId, id] as const, ['cluster', oldCluster, cluster] as const]) {
    if (old === undefined) missing[key] = wanted;
    else if (old !== wanted) splice.setEntry(node, key, wanted);
  }
  const own = splice.get(node, 'metadata');
  if (isMap(own)) mergeMetadata(splice, own, metadata);
  else missing.metadata = metadata;
  splice.addEntries(node, missing);
  return { id, cluster };
}

function mergeMetadata(splice: YamlSplice, own: YAMLMap, metadata: Record<string, unknown>): void {
  const missing: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(metadata)) {
    if (splice.has(own, key)) splice.setEntry(own, key, value);
    else missing[key] = value;
  }
  splice.addEntries(own, missing);
}

function editDynamicResources(
  splice: YamlSplice,
  root: YAMLMap,
  file: string,
  additions: Record<string, unknown>,
  kept: string[],
): void {
  const wanted = { ads_config: toAdsConfig(), lds_config: toOverAds(), cds_config: toOverAds() };
  const own = splice.get(root, 'dynamic_resources', 'dynamicResources');
  if (!isMap(own)) {
    if (splice.has(root, 'dynamic_resources')) splice.setEntry(root, 'dynamic_resources', wanted);
    else additions.dynamic_resources = wanted;
    return;
  }
  const ads = splice.get(own, 'ads_config', 'adsConfig');
  if (splice.has(own, 'ads_config', 'adsConfig') && !leadsToUs(splice, ads))
    throw new CliError(
      'bad-file',
      `${file}: dynamic_resources.ads_config: this Envoy already has a control plane`,
      {
        hint: `An Envoy has one ADS connection. Take it out of the file, or apply its resources to Attaché. One that names the cluster ${XDS_CLUSTER} is kept.`,
      },
    );
  const missing: Record<string, unknown> = {};
  const keys = [
    ['ads_config', 'adsConfig'],
    ['lds_config', 'ldsConfig'],
    ['cds_config', 'cdsConfig'],
  ] as const;
  for (const [key, camel] of keys) {
    if (splice.has(own, key, camel)) kept.push(`dynamic_resources.${key}`);
    else missing[key] = wanted[key];
  }
  splice.addEntries(own, missing);
}

/** What is connected with Attaché already stays as its author wants it, e.g. with another `api_type`. */
function leadsToUs(splice: YamlSplice, ads: unknown): boolean {
  const services = splice.get(ads, 'grpc_services', 'grpcServices');
  const items = isSeq(services) ? services.items : [];
  return items.some(service => {
    const envoyGrpc = splice.get(service, 'envoy_grpc', 'envoyGrpc');
    return text(splice.get(envoyGrpc, 'cluster_name', 'clusterName')) === XDS_CLUSTER;
  });
}

function editClusters(
  splice: YamlSplice,
  root: YAMLMap,
  options: BootstrapOptions,
  additions: Record<string, unknown>,
  kept: string[],
): { clusterCount: number; addedClusters: readonly string[] } {
  const resources = splice.get(root, 'static_resources', 'staticResources');
  const own = splice.get(resources, 'clusters');
  const names = new Set(isSeq(own) ? own.items.map(item => text(splice.get(item, 'name'))) : []);
  const wanted = Object.entries(toClusters(options.xds, options.modules));
  const added = wanted.filter(([name]) => !names.has(name));
  kept.push(...wanted.filter(([name]) => names.has(name)).map(([name]) => `cluster ${name}`));
  const items = added.map(([, cluster]) => cluster);
  if (isSeq(own)) splice.insertItems(own, items);
  else if (isMap(resources)) splice.setEntry(resources, 'clusters', items);
  else if (splice.has(root, 'static_resources'))
    splice.setEntry(root, 'static_resources', { clusters: items });
  else additions.static_resources = { clusters: items };
  return { clusterCount: names.size, addedClusters: added.map(([name]) => name) };
}

function editStatsSinks(
  splice: YamlSplice,
  root: YAMLMap,
  additions: Record<string, unknown>,
  kept: string[],
): boolean {
  const own = splice.get(root, 'stats_sinks', 'statsSinks');
  const sink = toStatsSink();
  if (isSeq(own)) {
    if (own.items.some(item => text(splice.get(item, 'name')) === 'envoy.stat_sinks.metrics_service')) {
      kept.push('the metrics service among stats_sinks');
      return false;
    }
    splice.insertItems(own, [sink]);
  } else if (splice.has(root, 'stats_sinks')) splice.setEntry(root, 'stats_sinks', [sink]);
  else additions.stats_sinks = [sink];
  return true;
}

function text(node: unknown): string | undefined {
  return isScalar(node) && node.value !== null ? String(node.value) : undefined;
}
