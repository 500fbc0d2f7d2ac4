/**
 * What a stat is for us, by its name. `of`: the place, plugin or metric that it is about; Envoy writes `_` for the `:` of
 * a place.
 */
export type MetricName =
  | { readonly kind: 'responses'; readonly statusClass: 1 | 2 | 3 | 4 | 5 }
  | { readonly kind: 'latency' | 'requestsActive' | 'vmCreated' | 'vmActive' }
  | { readonly kind: 'workers' | 'memoryBytes' | 'connections' | 'hotRestartEpoch' }
  | { readonly kind: 'reloads'; readonly of: string; readonly succeeded: boolean }
  | { readonly kind: 'ecdsReload' | 'ecdsFail' | 'custom'; readonly of: string }
  | { readonly kind: 'listenerOpened' | 'listenerOpen'; readonly of: string };

const SERVER: Readonly<Record<string, MetricName>> = {
  'server.concurrency': { kind: 'workers' },
  'server.memory_allocated': { kind: 'memoryBytes' },
  'server.total_connections': { kind: 'connections' },
  'server.hot_restart_epoch': { kind: 'hotRestartEpoch' },
};
const REQUESTS = /^http\.(.+)\.downstream_rq_(?:([1-5])xx|(time)|active)$/;
const PLACE = /^extension_config_discovery\.http_filter\.(.+)\.config_(?:(reload)|fail)$/;
const RELOADS = /^wasm\.(.+)\.vm_reload_(?:(success)|backoff|failure)$/;
const LISTENER = /^listener\.(.+)\.downstream_cx_(?:(total)|active)$/;
/** Beside the listeners: the same counts per thread, and those of Envoy's own admin page. */
const NO_LISTENER = /\.(?:worker_\d+|main_thread)$|^admin$/;
const RUNTIME = 'wasm.envoy.wasm.runtime.v8.';
const CUSTOM = 'wasmcustom.';
/** The connection manager of Envoy's own admin page. */
const ADMIN = 'admin';

/** Longer names are not kept: what an Envoy sends is bounded by us, not by it. */
const LONGEST = 256;

const [E, H, L, S, W, X] = [...'ehlswx'].map(letter => letter.charCodeAt(0));

/**
 * The name that stands in `bytes` from `start` to `end`; undefined: nothing that we read. Most of thousands are
 * told by their first and last letter, without becoming strings.
 */
export function readMetricName(bytes: Buffer, start: number, end: number): MetricName | undefined {
  if (end <= start || end - start > LONGEST) return undefined;
  const [first, last] = [bytes[start], bytes[end - 1]];
  if (first === H && (last === X || last === E)) return ofRequests(bytes.toString('latin1', start, end));
  if (first === L && (last === L || last === E)) return ofListener(bytes.toString('utf8', start, end));
  if (first === W) return ofWasm(bytes.toString('utf8', start, end));
  if (first === E) return ofPlace(bytes.toString('utf8', start, end));
  if (first === S) return ofServer(bytes.toString('latin1', start, end));
  return undefined;
}

function ofRequests(name: string): MetricName | undefined {
  const [, prefix, statusClass, time] = REQUESTS.exec(name) ?? [];
  if (prefix === undefined || prefix === ADMIN) return undefined;
  if (statusClass !== undefined)
    return { kind: 'responses', statusClass: Number(statusClass) as 1 | 2 | 3 | 4 | 5 };
  return { kind: time === undefined ? 'requestsActive' : 'latency' };
}

function ofWasm(name: string): MetricName | undefined {
  if (name.startsWith(CUSTOM)) return { kind: 'custom', of: name.slice(CUSTOM.length) };
  if (name === `${RUNTIME}created`) return { kind: 'vmCreated' };
  if (name === `${RUNTIME}active`) return { kind: 'vmActive' };
  const [, plugin, success] = RELOADS.exec(name) ?? [];
  return plugin === undefined ? undefined : { kind: 'reloads', of: plugin, succeeded: success !== undefined };
}

function ofPlace(name: string): MetricName | undefined {
  const [, place, reload] = PLACE.exec(name) ?? [];
  if (place === undefined) return undefined;
  return { kind: reload === undefined ? 'ecdsFail' : 'ecdsReload', of: place };
}

function ofListener(name: string): MetricName | undefined {
  const [, listener, total] = LISTENER.exec(name) ?? [];
  if (listener === undefined || NO_LISTENER.test(listener)) return undefined;
  return { kind: total === undefined ? 'listenerOpen' : 'listenerOpened', of: listener };
}

function ofServer(name: string): MetricName | undefined {
  return Object.hasOwn(SERVER, name) ? SERVER[name] : undefined;
}
