import type { Placement } from './assignment.ts';
import type { ListenerFacts, NodeIdentity } from './node.ts';
import type { JsonObject, TrafficMatch } from './plugin-spec.ts';
import { selects } from './selector.ts';

/** What chooses among the listeners of a node that has a plugin. */
export interface ListenerChoice {
  readonly match: readonly TrafficMatch[];
  /** Names of the listeners it is meant for (targetRefs of kind Listener); undefined: every one. */
  readonly onlyListeners: readonly string[] | undefined;
}

/** A reference that selects the node as a whole lifts the restriction that Listener references make. */
export function findOnlyListeners(
  plugin: { readonly namespace: string },
  placement: Placement,
  node: NodeIdentity,
  rootNamespace: string,
): readonly string[] | undefined {
  const refs = placement.targetRefs ?? [];
  const names = refs.filter(ref => ref.kind === 'Listener').map(ref => ref.name);
  if (names.length === 0) return undefined;
  const others = refs.filter(ref => ref.kind !== 'Listener');
  const { namespace } = plugin;
  if (others.some(ref => selects({ namespace, targetRefs: [ref] }, node, rootNamespace))) return undefined;
  return names;
}

/** Whether a plugin belongs on a listener: its Listener references, and one entry of `match`. */
export function matchesListener({ match, onlyListeners }: ListenerChoice, listener: ListenerFacts): boolean {
  if (onlyListeners !== undefined && !onlyListeners.includes(listener.name)) return false;
  return match.length === 0 || match.some(entry => matchesTraffic(entry, listener));
}

/** Whether it belongs on every listener there could be. */
export function matchesEveryListener({ match, onlyListeners }: ListenerChoice): boolean {
  if (onlyListeners !== undefined) return false;
  return match.length === 0 || match.some(entry => isAnyMode(entry) && isAnyPort(entry));
}

/** https://istio.io/latest/docs/reference/config/proxy_extensions/wasm-plugin/#WasmPlugin-TrafficSelector */
function matchesTraffic(entry: TrafficMatch, listener: ListenerFacts): boolean {
  const mode = listener.trafficDirection === 'INBOUND' ? 'SERVER' : 'CLIENT';
  if (!isAnyMode(entry) && entry.mode !== mode) return false;
  return isAnyPort(entry) || (entry.ports ?? []).includes(listener.port);
}

function isAnyMode(entry: TrafficMatch): boolean {
  return entry.mode === undefined || entry.mode === 'CLIENT_AND_SERVER';
}

function isAnyPort(entry: TrafficMatch): boolean {
  return entry.ports === undefined || entry.ports.length === 0;
}

/** envoy.config.core.v3.TrafficDirection by number, which JSON may hold too. */
const DIRECTIONS: readonly ListenerFacts['trafficDirection'][] = ['UNSPECIFIED', 'INBOUND', 'OUTBOUND'];

/** What `match` needs to know of a listener: its JSON as a person writes it, or as it is decoded. */
export function toListenerFacts(listener: JsonObject): ListenerFacts {
  const socket = read(read(listener, 'address'), 'socketAddress', 'socket_address');
  const port = Number(read(socket, 'portValue', 'port_value') ?? 0);
  const written = read(listener, 'trafficDirection', 'traffic_direction');
  const direction = typeof written === 'number' ? DIRECTIONS[written] : String(written).toUpperCase();
  const trafficDirection = direction === 'INBOUND' || direction === 'OUTBOUND' ? direction : 'UNSPECIFIED';
  return { name: String(listener.name ?? ''), port: Number.isNaN(port) ? 0 : port, trafficDirection };
}

/** Whether plugins can stand on it: a listener as a person writes it, or as it is decoded. */
export function isHttpListener(listener: JsonObject): boolean {
  return JSON.stringify(listener).includes('.http_connection_manager.v3.HttpConnectionManager"');
}

function read(of: unknown, ...keys: readonly string[]): unknown {
  if (of === null || typeof of !== 'object') return undefined;
  const key = keys.find(name => Object.hasOwn(of, name));
  return key === undefined ? undefined : (of as JsonObject)[key];
}
