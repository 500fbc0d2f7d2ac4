import { isIPv6 } from 'node:net';
import type { JsonObject, JsonValue } from './plugin-spec.ts';

/**
 * What a listener listens on, as text that is equal exactly where Envoy calls two addresses one: `tcp 0.0.0.0:443`. Empty where
 * nothing can be in its way: port 0, or an address that is not there. `resource` may be written in any form of JSON.
 * https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/listener/v3/listener.proto
 */
export function toListenerAddresses(resource: JsonObject): readonly string[] {
  const additional = pick(resource, 'additional_addresses', 'additionalAddresses');
  const more = Array.isArray(additional) ? additional.map(one => pick(one, 'address')) : [];
  const binds = pick(resource, 'bind_to_port', 'bindToPort') !== false;
  return [pick(resource, 'address'), ...more]
    .map(address => toText(address, binds))
    .filter(text => text !== undefined);
}

function toText(address: JsonValue | undefined, binds: boolean): string | undefined {
  const pipe = pick(pick(address, 'pipe'), 'path');
  if (typeof pipe === 'string') return `pipe ${pipe}`;
  const socket = pick(address, 'socket_address', 'socketAddress');
  const [host, port] = [pick(socket, 'address'), Number(pick(socket, 'port_value', 'portValue'))];
  if (typeof host !== 'string' || !(port > 0)) return undefined;
  const protocol = pick(socket, 'protocol');
  const network = pick(socket, 'network_namespace_filepath', 'networkNamespaceFilepath');
  return [
    protocol === 1 || String(protocol).toUpperCase() === 'UDP' ? 'udp' : 'tcp',
    `${toHost(host)}:${port}`,
    // A listener that others hand their connections to is in nobody's way.
    ...(binds ? [] : ['(not bound)']),
    ...(typeof network === 'string' && network !== '' ? [`in ${network}`] : []),
  ].join(' ');
}

/** `::0` and `::` are one address. */
function toHost(host: string): string {
  return isIPv6(host) ? new URL(`http://[${host}]`).hostname : host;
}

/** What a listener's stats are called by: `listener.<this>.downstream_cx_total`. Empty: it has no address. */
export function toListenerStatName(resource: JsonObject): string {
  const prefix = pick(resource, 'stat_prefix', 'statPrefix');
  if (typeof prefix === 'string' && prefix !== '') return toStat(prefix);
  const address = pick(resource, 'address');
  const socket = pick(address, 'socket_address', 'socketAddress');
  const host = pick(socket, 'address');
  if (typeof host !== 'string') {
    const path = pick(pick(address, 'pipe'), 'path');
    return typeof path === 'string' ? toStat(path) : '';
  }
  return toStat(`${toHost(host)}:${Number(pick(socket, 'port_value', 'portValue') ?? 0)}`);
}

/** Envoy writes `_` where a colon would be read as something else. */
function toStat(text: string): string {
  return text.replaceAll(':', '_');
}

/** The first of these keys that is there. */
function pick(value: JsonValue | undefined, ...keys: readonly string[]): JsonValue | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const key = keys.find(one => Object.hasOwn(value, one));
  return key === undefined ? undefined : (value as JsonObject)[key];
}
