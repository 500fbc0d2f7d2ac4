import { isMap, isSeq, type YAMLMap, type YAMLSeq } from 'yaml';
import type { ListenerFacts } from '../model/node.ts';
import { PHASES } from '../model/plugin-spec.ts';
import type { BootstrapFile } from './bootstrap-file.ts';
import type { YamlSplice } from './yaml-splice.ts';

/** What happened to one of the user's listeners. */
export interface ListenerChange {
  readonly facts: ListenerFacts;
  readonly managerCount: number;
  /** Places that were put before the router; those that stood there already are not among them. */
  readonly added: readonly string[];
  /** An HTTP connection manager without any filter: no Envoy takes it. */
  readonly withoutFilters: boolean;
  /** Wasm filters that the user placed himself, by name. */
  readonly wasmFilters: readonly string[];
}

const MANAGER = 'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager';
const ROUTER = 'envoy.extensions.filters.http.router.v3.Router';
const WASM = 'envoy.extensions.filters.http.wasm.v3.Wasm';
/** A type that Envoy need not know when it reads the file; what it is for stands inside. */
const TYPED_STRUCT = /^(xds|udpa)\.type\.v[13]\.TypedStruct$/;

/** The static listeners, aliases followed. */
export function listListeners({ splice, root }: BootstrapFile): readonly unknown[] {
  return splice.items(splice.get(splice.get(root, 'static_resources', 'staticResources'), 'listeners'));
}

/**
 * Puts the places before the router of every HTTP connection manager of the bootstrap's listeners. A phase place
 * names its listener where there are several, so that a plugin can be meant for one of them (`match`).
 */
export function addPlaces(
  file: BootstrapFile,
  names: readonly string[],
  toPlace: (name: string) => object,
): readonly ListenerChange[] {
  const { splice } = file;
  const listeners = listListeners(file).map(listener => ({
    facts: readFacts(splice, listener),
    filterLists: findManagers(splice, listener).map(manager =>
      splice.get(manager, 'http_filters', 'httpFilters'),
    ),
  }));
  const several = listeners.filter(listener => listener.filterLists.length > 0).length > 1;
  // An anchor's content is edited once, however many listeners use it, and then names none of them.
  const edited = new Set<unknown>();
  return listeners.map(({ facts, filterLists }) => {
    const added = new Set<string>();
    for (const filters of filterLists) {
      if (!isFilters(filters) || edited.has(filters)) continue;
      edited.add(filters);
      const users = listeners.filter(listener => listener.filterLists.includes(filters)).length;
      const own = several && users === 1 ? names.map(name => toListenerPlace(name, facts.name)) : names;
      for (const name of addToFilters(splice, filters, own, toPlace)) added.add(name);
    }
    const managerCount = filterLists.length;
    const withoutFilters = filterLists.some(filters => splice.items(filters).length === 0);
    const wasmFilters = filterLists.flatMap(filters => findWasm(splice, filters));
    return { facts, managerCount, added: [...added], withoutFilters, wasmFilters };
  });
}

function isFilters(node: unknown): node is YAMLSeq | YAMLMap {
  return isSeq(node) || isMap(node);
}

function toListenerPlace(name: string, listener: string): string {
  return listener !== '' && PHASES.some(phase => phase.slot === name) ? `${name}/${listener}` : name;
}

function addToFilters(
  splice: YamlSplice,
  filters: YAMLSeq | YAMLMap,
  names: readonly string[],
  toPlace: (name: string) => object,
): readonly string[] {
  const present = splice.items(filters).map(filter => splice.text(filter, 'name'));
  if (present.length === 0) return [];
  const added = names.filter(name => !present.includes(name));
  splice.insertItems(filters, added.map(toPlace), findTerminal(splice, filters));
  return added;
}

/** HTTP connection managers of a listener, wherever it has them. */
export function findManagers(splice: YamlSplice, listener: unknown): readonly unknown[] {
  const chains = [
    ...splice.items(splice.get(listener, 'filter_chains', 'filterChains')),
    splice.get(listener, 'default_filter_chain', 'defaultFilterChain'),
  ];
  return chains
    .flatMap(chain => splice.items(splice.get(chain, 'filters')))
    .map(filter => readConfig(splice, filter))
    .filter(config => config.type === MANAGER)
    .map(config => config.fields);
}

/** The type of a filter's configuration, and where its fields are. */
function readConfig(splice: YamlSplice, filter: unknown): { type: string | undefined; fields: unknown } {
  const config = splice.get(filter, 'typed_config', 'typedConfig');
  const type = splice.text(config, '@type')?.split('/').at(-1);
  if (type === undefined || !TYPED_STRUCT.test(type)) return { type, fields: config };
  const inner = splice.text(config, 'type_url', 'typeUrl')?.split('/').at(-1);
  return { type: inner, fields: splice.get(config, 'value') };
}

/** The router, else the last filter: one terminal filter ends every chain. */
function findTerminal(splice: YamlSplice, filters: unknown): number {
  const items = splice.items(filters);
  const router = items.findIndex(
    filter =>
      readConfig(splice, filter).type === ROUTER ||
      splice.text(filter, 'name') === 'envoy.filters.http.router',
  );
  return router >= 0 ? router : Math.max(0, items.length - 1);
}

function findWasm(splice: YamlSplice, filters: unknown): readonly string[] {
  const own = splice.items(filters).filter(filter => readConfig(splice, filter).type === WASM);
  return own.map(filter => splice.text(filter, 'name') ?? 'wasm');
}

/** What `match` and the server want to know of a listener; port 0: a socket file, or not known here. */
export function readFacts(splice: YamlSplice, listener: unknown): ListenerFacts {
  const socket = splice.get(splice.get(listener, 'address'), 'socket_address', 'socketAddress');
  const direction = splice.text(listener, 'traffic_direction', 'trafficDirection');
  const port = Number(splice.text(socket, 'port_value', 'portValue') ?? 0);
  return {
    name: splice.text(listener, 'name') ?? '',
    port: Number.isInteger(port) ? port : 0,
    trafficDirection: direction === 'INBOUND' || direction === 'OUTBOUND' ? direction : 'UNSPECIFIED',
  };
}
