import {
  type BootstrapReading,
  type ListenerReading,
  readBootstrap,
  readListener,
} from './read-bootstrap.ts';

/** What a running Envoy says of itself on its admin interface. */
export interface EnvoyReading {
  /** `1.40.0` */
  readonly version: string;
  /** `LIVE`, `INITIALIZING`, … */
  readonly state: string;
  /** What a start still waits for; empty once it is LIVE. */
  readonly waitsFor: readonly string[];
  readonly extensions: ExtensionReading;
  readonly bootstrap: BootstrapReading;
  /** Listeners that were delivered. */
  readonly delivered: readonly DeliveredListener[];
  /** Connections to Attaché that are open; undefined: it has no such cluster. */
  readonly connections: number | undefined;
  /** Counters and gauges by name; what was left out of its stats is not here. */
  readonly stats: ReadonlyMap<string, number>;
}

export interface ExtensionReading {
  readonly wasmFilter: boolean;
  readonly v8: boolean;
  readonly filterChain: boolean;
}

export interface DeliveredListener extends ListenerReading {
  /** It serves; else it waits for something, or was refused at once. */
  readonly active: boolean;
  /** Why Envoy refused the newest version of it. */
  readonly refusal: string | undefined;
}

/** Answers of the admin interface: `/server_info`, `/config_dump`, `/init_dump` (JSON), `/clusters` and `/stats` (text). */
export interface AdminAnswers {
  readonly serverInfo: unknown;
  readonly configDump: unknown;
  readonly initDump: unknown;
  readonly clusters: string;
  readonly stats: string;
}

// biome-ignore lint/suspicious/noExplicitAny: JSON of anybody; every step asks whether it is there.
type Json = any;

/** Undefined: these are no answers of an Envoy. */
export function readEnvoy(answers: AdminAnswers): EnvoyReading | undefined {
  const info = answers.serverInfo as Json;
  const dumps: readonly Json[] = (answers.configDump as Json)?.configs ?? [];
  const find = (type: string) => dumps.find(dump => String(dump['@type']).endsWith(type));
  const bootstrap = find('.BootstrapConfigDump')?.bootstrap;
  if (typeof info?.state !== 'string' || bootstrap === undefined) return undefined;
  const names = new Set(
    (info.node?.extensions ?? bootstrap.node?.extensions ?? []).map((one: Json) => one.name),
  );
  const waiting: readonly Json[] = (answers.initDump as Json)?.unready_targets_dumps ?? [];
  return {
    version: String(info.version).split('/')[1] ?? '',
    state: info.state,
    waitsFor: waiting.flatMap(dump => dump.target_names ?? []),
    extensions: {
      wasmFilter: names.has('envoy.filters.http.wasm'),
      v8: names.has('envoy.wasm.runtime.v8'),
      filterChain: names.has('envoy.filters.http.filter_chain'),
    },
    bootstrap: readBootstrap({ ...bootstrap, node: { ...bootstrap.node, ...toNamed(info.node) } }),
    delivered: (find('.ListenersConfigDump')?.dynamic_listeners ?? []).map(readDelivered),
    connections: readConnections(answers.clusters),
    stats: readStats(answers.stats),
  };
}

/** An Envoy may have its name from the command line. */
function toNamed(node: Json): object {
  return { ...(node?.id ? { id: node.id } : {}), ...(node?.cluster ? { cluster: node.cluster } : {}) };
}

function readDelivered(dump: Json): DeliveredListener {
  const state = dump.active_state ?? dump.warming_state ?? dump.error_state?.failed_configuration;
  return {
    ...readListener(state?.listener ?? state ?? {}),
    name: String(dump.name ?? ''),
    active: dump.active_state !== undefined,
    refusal: dump.error_state?.details,
  };
}

/** Of `/clusters`, which a stats matcher leaves as it is: `attache_xds::10.0.0.5:18000::cx_active::1` */
function readConnections(text: string): number | undefined {
  const counts = [...text.matchAll(/^attache_xds::.*::cx_active::(\d+)$/gm)].map(match => Number(match[1]));
  return counts.length === 0 ? undefined : counts.reduce((all, one) => all + one, 0);
}

function readStats(text: string): ReadonlyMap<string, number> {
  const rows = text.split('\n').map(line => /^(\S+): (\d+)$/.exec(line));
  return new Map(rows.flatMap(row => (row ? [[row[1] ?? '', Number(row[2])] as const] : [])));
}
