import { isMap, isSeq, parseDocument, type YAMLMap } from 'yaml';
import type { BootstrapFacts } from '../model/node.ts';
import { type Elsewhere, editDynamicResources, findOtherAds } from './bootstrap-control-plane.ts';
import { type BootstrapOptions, toAdmin, toNodeMetadata, toPlaceNames } from './bootstrap-document.ts';
import { type BootstrapFile, openBootstrap } from './bootstrap-file.ts';
import { addPlaces, findManagers, type ListenerChange, listListeners } from './bootstrap-listeners.ts';
import { type MovedListener, moveListeners } from './bootstrap-move.ts';
import { toAdsConfig, toClusters, toLayeredRuntime, toPlace } from './bootstrap-parts.ts';
import { editStats } from './bootstrap-stats.ts';
import { CliError } from './cli-error.ts';
import type { YamlSplice } from './yaml-splice.ts';

/** A user's bootstrap with what Attaché needs, and what was done to it. */
export interface ManagedBootstrap {
  readonly text: string;
  readonly id: string;
  readonly cluster: string;
  /** What `node.id` and `node.cluster` said before, where they say something else now. */
  readonly renamed: readonly string[];
  readonly clusterCount: number;
  readonly addedClusters: readonly string[];
  readonly addedStatsSink: boolean;
  /** Numbers that Attaché reads and this Envoy does not send, a sentence each. */
  readonly lostStats: readonly string[];
  /**
   * `ours`: ADS leads to Attaché. `other`: the Envoy keeps the control plane that it has, and asks Attaché for what is in its
   * places alone.
   */
  readonly ads: 'ours' | 'other';
  /** What comes from neither of them. */
  readonly elsewhere: readonly Elsewhere[];
  readonly listeners: readonly ListenerChange[];
  /** With `moveListeners`: the documents of the listeners that are gone from the file. */
  readonly moved: readonly MovedListener[];
  /** Parts of the user's that stand where ours would, and were left alone. */
  readonly kept: readonly string[];
}

/** What is to become of the listeners in the file: they get places, or become documents for `attache apply`. */
export type ListenerPlan = 'places' | 'move';

/**
 * Edits the text of a bootstrap in place: node, ADS, two clusters, the stats sink, and the places before the
 * router of every HTTP connection manager. Every other byte stays. Throws CliError `bad-file`, `bootstrap-refused`.
 */
export function manageBootstrap(
  text: string,
  name: string,
  options: BootstrapOptions,
  plan: ListenerPlan = 'places',
): ManagedBootstrap {
  const file = openBootstrap(text, name);
  const { splice, root } = file;
  const ads = findOtherAds(file) === undefined ? 'ours' : 'other';
  if (ads === 'other') refuseUnserved(file, options, plan);
  const additions: Record<string, unknown> = {};
  const moved = plan === 'move' ? moveListeners(file, options) : [];
  const listeners = plan === 'move' ? [] : addOwnPlaces(file, options, ads);
  const facts: BootstrapFacts = {
    unanswered: options.unanswered,
    listeners: listeners.map(one => one.facts),
  };
  const node = editNode(file, options, facts, additions);
  const control = editDynamicResources(file, options.proof, additions);
  const kept = [...control.kept];
  const clusters = editClusters(splice, root, options, additions, kept);
  const stats = editStats(file, options.proof, additions);
  if (options.adminPort !== undefined) {
    if (splice.get(root, 'admin') === undefined) additions.admin = toAdmin(options.adminPort);
    else kept.push('admin');
  }
  if (options.runtimes.length > 0) {
    if (splice.get(root, 'layered_runtime', 'layeredRuntime') === undefined)
      additions.layered_runtime = toLayeredRuntime(options.runtimes);
    else kept.push('layered_runtime');
  }
  splice.addEntries(root, additions);
  return {
    ...{ text: toChecked(splice.apply(), file), ...node, ...clusters, ads, listeners, moved, kept },
    elsewhere: control.elsewhere,
    ...{ addedStatsSink: stats.added, lostStats: stats.lost },
  };
}

/** Nothing is printed that no YAML reader takes: rather this, and a file that is to be written in plainer YAML. */
function toChecked(text: string, file: BootstrapFile): string {
  if (parseDocument(text).errors.length === 0) return text;
  throw file.refuse(
    file.root,
    'the form of this file is beyond what can be completed in place',
    'Write it in plain block style, or as JSON, then run this again.',
  );
}

/** An Envoy with a control plane of its own keeps it, where Attaché can serve it all the same. */
function refuseUnserved(file: BootstrapFile, options: BootstrapOptions, plan: ListenerPlan): void {
  const ads = findOtherAds(file);
  const what = 'this Envoy has a control plane already (ads_config)';
  if (plan === 'move')
    throw file.refuse(
      ads,
      `${what}, and asks nobody else for listeners`,
      'Leave --move-listeners out: the listeners of the file get places, which Attaché fills. Or take ads_config out.',
    );
  if (options.runtimes.length > 0)
    throw file.refuse(ads, `${what}, and asks it for runtimes`, 'Leave --runtime out.');
  const managers = listListeners(file).flatMap(listener => findManagers(file.splice, listener));
  if (managers.length === 0)
    throw file.refuse(
      ads,
      `${what}, and no HTTP listener in the file`,
      'Have that control plane put the places into its listeners: docs/bootstrap.md, "Envoys with a control plane of their own". Or take ads_config out.',
    );
}

/** Without ADS to Attaché each place has a stream of its own. */
function addOwnPlaces(
  file: BootstrapFile,
  options: BootstrapOptions,
  ads: 'ours' | 'other',
): readonly ListenerChange[] {
  const { layout, unanswered } = options;
  const toOwn = (name: string) =>
    ads === 'ours' ? toPlace(name, layout, unanswered) : toLonePlace(name, options);
  return addPlaces(file, toPlaceNames(options), toOwn);
}

function toLonePlace(name: string, { layout, unanswered, proof }: BootstrapOptions): object {
  const place = toPlace(name, layout, unanswered) as { config_discovery: { config_source: object } };
  const { ads: _, ...source } = place.config_discovery.config_source as { ads?: object };
  const config_source = { api_config_source: toAdsConfig(proof), ...source };
  return { ...place, config_discovery: { ...place.config_discovery, config_source } };
}

function editNode(
  { splice, root, name }: BootstrapFile,
  options: BootstrapOptions,
  facts: BootstrapFacts,
  additions: Record<string, unknown>,
): Pick<ManagedBootstrap, 'id' | 'cluster' | 'renamed'> {
  const node = splice.get(root, 'node');
  const oldId = splice.text(node, 'id');
  const oldCluster = splice.text(node, 'cluster');
  const id = options.id ?? oldId;
  if (id === undefined) throw new CliError('bad-usage', `${name} has no node.id; name the node: --id ID`);
  const cluster = options.cluster ?? oldCluster ?? id;
  const metadata = { ...toNodeMetadata(options), attache: facts };
  if (!isMap(node)) {
    // Also the entry without a value: `node:`
    if (splice.has(root, 'node')) splice.setEntry(root, 'node', { id, cluster, metadata });
    else additions.node = { id, cluster, metadata };
    return { id, cluster, renamed: [] };
  }
  const missing: Record<string, unknown> = {};
  const renamed: string[] = [];
  for (const [key, old, wanted] of [['id', oldId, id] as const, ['cluster', oldCluster, cluster] as const]) {
    if (old === undefined) missing[key] = wanted;
    else if (old !== wanted) {
      splice.setEntry(node, key, wanted);
      renamed.push(`node.${key} ${old} → ${wanted}`);
    }
  }
  const own = splice.get(node, 'metadata');
  if (isMap(own)) mergeMetadata(splice, own, metadata);
  else if (splice.has(node, 'metadata')) splice.setEntry(node, 'metadata', metadata);
  else missing.metadata = metadata;
  splice.addEntries(node, missing);
  return { id, cluster, renamed };
}

function mergeMetadata(splice: YamlSplice, own: YAMLMap, metadata: Record<string, unknown>): void {
  const missing: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(metadata)) {
    if (splice.has(own, key)) splice.setEntry(own, key, value);
    else missing[key] = value;
  }
  splice.addEntries(own, missing);
}

function editClusters(
  splice: YamlSplice,
  root: YAMLMap,
  options: BootstrapOptions,
  additions: Record<string, unknown>,
  kept: string[],
): { clusterCount: number; addedClusters: readonly string[] } {
  const key = splice.has(root, 'staticResources') ? 'staticResources' : 'static_resources';
  const resources = splice.get(root, key);
  const own = splice.get(resources, 'clusters');
  const names = splice.items(own).map(item => splice.text(item, 'name'));
  const wanted = Object.entries(toClusters(options.xds, options.modules, options.proof));
  const added = wanted.filter(([name]) => !names.includes(name));
  for (const item of splice.items(own)) {
    const name = splice.text(item, 'name') ?? '';
    if (wanted.some(([ours]) => ours === name)) kept.push(`cluster ${name}${describeAddress(splice, item)}`);
  }
  const items = added.map(([, cluster]) => cluster);
  if (isSeq(own) || isMap(own)) splice.insertItems(own, items);
  else if (isMap(resources)) splice.setEntry(resources, 'clusters', items);
  else if (splice.has(root, key)) splice.setEntry(root, key, { clusters: items });
  else additions.static_resources = { clusters: items };
  return { clusterCount: names.length, addedClusters: added.map(([name]) => name) };
}

/** ` (10.0.0.5:18000)`: where a cluster leads to that the user wrote. */
function describeAddress(splice: YamlSplice, cluster: unknown): string {
  const assignment = splice.get(cluster, 'load_assignment', 'loadAssignment');
  const [locality] = splice.items(splice.get(assignment, 'endpoints'));
  const [first] = splice.items(splice.get(locality, 'lb_endpoints', 'lbEndpoints'));
  const address = splice.get(splice.get(first, 'endpoint'), 'address');
  const socket = splice.get(address, 'socket_address', 'socketAddress');
  const host = splice.text(socket, 'address');
  return host === undefined ? '' : ` (${host}:${splice.text(socket, 'port_value', 'portValue')})`;
}
