import { isPlaceOf } from '../model/plugin-place.ts';
import { type JsonObject, type JsonValue, PHASES } from '../model/plugin-spec.ts';
import { isObject, mapHttpFilters } from './decoded-listener.ts';
import { FILTER_CHAIN_TYPE, RBAC_TYPE, ROUTER_TYPE, type SlotLayout, WASM_TYPE } from './filter-types.ts';
import { parsePhasePlace, toPhaseSlot } from './phase-place.ts';

/** `allow` lets requests through after 15 s without an answer. */
export type Unanswered = 'deny' | 'allow';

/** Envoy's default `initial_fetch_timeout`, and what `allow` means. */
const DEFAULT_FETCH_TIMEOUT_MS = 15_000;

/**
 * Makes a closed place recognisable in stats: `http.<stat_prefix>.rbac.attache_closed.denied` on 1.40.0,
 * `extension_config_discovery.http_filter.<slot>.rbac.attache_closed.denied` on 1.36.2.
 */
const CLOSED_STAT_PREFIX = 'attache_closed';

/**
 * The filter that subscribes to a slot. Without an answer it denies (or, after 15 s, lets through), and neither
 * depends on the plugins. https://www.envoyproxy.io/docs/envoy/latest/configuration/overview/extension
 */
export function toPlace(slot: string, layout: SlotLayout, unanswered: Unanswered): JsonObject {
  const closed = { rules: {}, rulesStatPrefix: CLOSED_STAT_PREFIX };
  return {
    name: slot,
    configDiscovery: {
      configSource: {
        ads: {},
        resourceApiVersion: 'V3',
        initialFetchTimeout: unanswered === 'deny' ? '0s' : `${DEFAULT_FETCH_TIMEOUT_MS / 1000}s`,
      },
      typeUrls: [layout === 'chain' ? FILTER_CHAIN_TYPE : WASM_TYPE, RBAC_TYPE],
      defaultConfig: { '@type': RBAC_TYPE, ...(unanswered === 'deny' ? closed : {}) },
    },
  };
}

/** A listener with its places, and the slots they subscribe to. */
export interface PlacedListener {
  readonly listener: JsonObject;
  /** In chain order, each once; empty: there is no HTTP connection manager. */
  readonly slots: readonly string[];
  /** The shortest fetch timeout among them; 0: none has one. */
  readonly fetchTimeoutMs: number;
}

/** What is to stand in a listener that has no place for it yet, by phase. */
export interface PlacesWanted {
  readonly layout: SlotLayout;
  readonly unanswered: Unanswered;
  /** The node's: a place may name a plugin of it without. */
  readonly namespace: string;
  /** single layout: the slots of the plugins of a phase on this listener, in order. */
  pluginSlots(phaseSlot: string): readonly string[];
}

/**
 * Puts the slots into every HTTP connection manager of a listener, before the router; places that are there
 * already stay where they are (and are completed when they hold only a name). `listener` is proto3 JSON as the
 * registry decodes it: camelCase, Any expanded.
 */
export function placeSlots(listener: JsonObject, wanted: PlacesWanted): PlacedListener {
  const name = String(listener.name ?? '');
  const places = new Map<string, JsonObject>();
  const placed = mapHttpFilters(listener, filters => {
    const withPlaces = placeInFilters(filters, name, wanted);
    for (const filter of withPlaces) if (isPlace(filter, wanted)) places.set(String(filter.name), filter);
    return withPlaces;
  });
  const timeouts = [...places.values()].map(readFetchTimeoutMs).filter(timeoutMs => timeoutMs > 0);
  return {
    listener: placed,
    slots: [...places.keys()],
    fetchTimeoutMs: timeouts.length === 0 ? 0 : Math.min(...timeouts),
  };
}

function placeInFilters(
  filters: readonly JsonObject[],
  listener: string,
  wanted: PlacesWanted,
): readonly JsonObject[] {
  const present = new Set(filters.map(filter => filter.name));
  const discovered = filters.filter(filter => 'configDiscovery' in filter).map(({ name }) => String(name));
  const isThere = (plugin: string): boolean =>
    present.has(plugin) || discovered.some(name => isPlaceOf(name, plugin, wanted.namespace));
  const added = PHASES.flatMap(({ slot }) => {
    const phaseSlot = toPhaseSlot(slot, listener);
    if (present.has(slot) || present.has(phaseSlot)) return [];
    return wanted.layout === 'chain' ? [phaseSlot] : wanted.pluginSlots(slot).filter(name => !isThere(name));
  });
  const places = added.map(slot => toPlace(slot, wanted.layout, wanted.unanswered));
  const at = findRouter(filters);
  return [...filters.slice(0, at), ...places, ...filters.slice(at)].map(filter =>
    completePlace(filter, wanted),
  );
}

/** The router, else the last filter: one terminal filter ends every chain. */
function findRouter(filters: readonly JsonObject[]): number {
  const router = filters.findIndex(filter => {
    const config = filter.typedConfig;
    return (
      (isObject(config) && config['@type'] === ROUTER_TYPE) || filter.name === 'envoy.filters.http.router'
    );
  });
  return router >= 0 ? router : Math.max(0, filters.length - 1);
}

/** `- name: attache.authn` alone marks a place; the rest is written here. */
function completePlace(filter: JsonObject, wanted: PlacesWanted): JsonObject {
  if (!isPhaseName(filter.name) || 'typedConfig' in filter || 'configDiscovery' in filter) return filter;
  return { ...filter, ...toPlace(String(filter.name), wanted.layout, wanted.unanswered) };
}

/** Filters that subscribe to a slot over ADS: ours, and a plugin's name written by the user. */
function isPlace(filter: JsonObject, wanted: PlacesWanted): boolean {
  if (!('configDiscovery' in filter)) return false;
  const isPlugin = PHASES.some(({ slot }) => wanted.pluginSlots(slot).includes(String(filter.name)));
  return isPlugin || isPhaseName(filter.name) || readsAds(filter);
}

function isPhaseName(name: JsonValue | undefined): boolean {
  return parsePhasePlace(String(name)) !== undefined;
}

function readsAds(filter: JsonObject): boolean {
  const source = readConfigSource(filter);
  return source !== undefined && 'ads' in source;
}

function readConfigSource(filter: JsonObject): JsonObject | undefined {
  const discovery = filter.configDiscovery;
  const source = isObject(discovery) ? discovery.configSource : undefined;
  return isObject(source) ? source : undefined;
}

function readFetchTimeoutMs(filter: JsonObject): number {
  const timeout = readConfigSource(filter)?.initialFetchTimeout;
  return typeof timeout === 'string' ? Number.parseFloat(timeout) * 1000 : DEFAULT_FETCH_TIMEOUT_MS;
}
