import { isScalar, isSeq, type YAMLMap, type YAMLSeq } from 'yaml';
import type { ListenerFacts } from '../model/node.ts';
import { PHASES } from '../model/plugin-spec.ts';
import { type PlaceLayout, toPlace, type Unanswered } from './bootstrap-parts.ts';
import type { YamlSplice } from './yaml-splice.ts';

/** What happened to one of the user's listeners. */
export interface ListenerChange {
  readonly facts: ListenerFacts;
  readonly managerCount: number;
  /** Places that were put before the router; those that stood there already are not among them. */
  readonly added: readonly string[];
  /** An HTTP connection manager without a router gets no places. */
  readonly withoutRouter: boolean;
}

const MANAGER = 'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager';
const ROUTER = 'envoy.extensions.filters.http.router.v3.Router';

/**
 * Puts the places before the router of every HTTP connection manager of the bootstrap's listeners. A phase place
 * names its listener where there are several, so that a plugin can be meant for one of them (`match`).
 */
export function addPlaces(
  splice: YamlSplice,
  root: YAMLMap,
  names: readonly string[],
  layout: PlaceLayout,
  unanswered: Unanswered,
): readonly ListenerChange[] {
  const resources = splice.get(root, 'static_resources', 'staticResources');
  const listeners = items(splice, splice.get(resources, 'listeners')).map(listener => ({
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
      if (!isSeq(filters) || edited.has(filters)) continue;
      edited.add(filters);
      const users = listeners.filter(listener => listener.filterLists.includes(filters)).length;
      const own = several && users === 1 ? names.map(name => toListenerPlace(name, facts.name)) : names;
      for (const name of addToFilters(splice, filters, own, layout, unanswered)) added.add(name);
    }
    const withoutRouter = filterLists.some(filters => findRouter(splice, filters) < 0);
    return { facts, managerCount: filterLists.length, added: [...added], withoutRouter };
  });
}

function toListenerPlace(name: string, listener: string): string {
  return listener !== '' && PHASES.some(phase => phase.slot === name) ? `${name}/${listener}` : name;
}

function addToFilters(
  splice: YamlSplice,
  filters: YAMLSeq,
  names: readonly string[],
  layout: PlaceLayout,
  unanswered: Unanswered,
): readonly string[] {
  const router = findRouter(splice, filters);
  if (router < 0) return [];
  const present = new Set(items(splice, filters).map(filter => text(splice.get(filter, 'name'))));
  const added = names.filter(name => !present.has(name));
  splice.insertItems(
    filters,
    added.map(name => toPlace(name, layout, unanswered)),
    router,
  );
  return added;
}

function findManagers(splice: YamlSplice, listener: unknown): readonly unknown[] {
  const chains = [
    ...items(splice, splice.get(listener, 'filter_chains', 'filterChains')),
    splice.get(listener, 'default_filter_chain', 'defaultFilterChain'),
  ];
  return chains
    .flatMap(chain => items(splice, splice.get(chain, 'filters')))
    .map(filter => splice.get(filter, 'typed_config', 'typedConfig'))
    .filter(config => typeOf(splice, config) === MANAGER);
}

function findRouter(splice: YamlSplice, filters: unknown): number {
  return items(splice, filters).findIndex(
    filter =>
      typeOf(splice, splice.get(filter, 'typed_config', 'typedConfig')) === ROUTER ||
      text(splice.get(filter, 'name')) === 'envoy.filters.http.router',
  );
}

function typeOf(splice: YamlSplice, config: unknown): string | undefined {
  return text(splice.get(config, '@type'))?.split('/').at(-1);
}

function readFacts(splice: YamlSplice, listener: unknown): ListenerFacts {
  const socket = splice.get(splice.get(listener, 'address'), 'socket_address', 'socketAddress');
  const direction = text(splice.get(listener, 'traffic_direction', 'trafficDirection'));
  return {
    name: text(splice.get(listener, 'name')) ?? '',
    port: Number(text(splice.get(socket, 'port_value', 'portValue')) ?? 0),
    trafficDirection: direction === 'INBOUND' || direction === 'OUTBOUND' ? direction : 'UNSPECIFIED',
  };
}

function items(splice: YamlSplice, list: unknown): readonly unknown[] {
  return isSeq(list) ? list.items.map(item => splice.resolve(item)) : [];
}

function text(node: unknown): string | undefined {
  return isScalar(node) && node.value !== null ? String(node.value) : undefined;
}
