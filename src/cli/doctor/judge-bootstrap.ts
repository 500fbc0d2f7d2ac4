import { MODULES_CLUSTER, XDS_CLUSTER } from '../bootstrap-parts.ts';
import { describeLostStats } from '../stats-matcher.ts';
import { type Finding, ok, problem, toNameList, warning } from './finding.ts';
import type { BootstrapReading, ListenerReading } from './read-bootstrap.ts';

/** Gates look at windows of 5 s, and two of them in a row. */
const SLOW_FLUSH_MS = 15_000;
const AGAIN = 'let attache bootstrap --from complete the file';

/** What keeps an Envoy of this bootstrap from being managed. Pure. */
export function judgeBootstrap(reading: BootstrapReading): readonly Finding[] {
  const first = [...judgeTypes(reading), ...judgeNode(reading), ...judgeControlPlane(reading)];
  // Whoever knows nothing of Attaché lacks all the rest as well.
  if (first.some(finding => finding.code === 'no-ads')) return first;
  return [...first, ...judgeClusters(reading), ...judgeListeners(reading), ...judgeStats(reading)];
}

function judgeTypes({ oldTypes }: BootstrapReading): readonly Finding[] {
  return oldTypes.length === 0
    ? []
    : [
        problem(
          'old-api',
          `${toNameList(oldTypes, 1)}: of version 2 of Envoy's API, which no Envoy since 1.18 takes; write it in version 3`,
        ),
      ];
}

function judgeNode({ nodeId, nodeCluster }: BootstrapReading): readonly Finding[] {
  const missing = [...(nodeId === '' ? ['node.id'] : []), ...(nodeCluster === '' ? ['node.cluster'] : [])];
  return missing.length > 0
    ? [
        problem(
          'no-node',
          `${missing.join(' and ')} missing, without which Envoy asks no control plane: ${AGAIN}`,
        ),
      ]
    : [ok('node', `node ${nodeId}`)];
}

function judgeControlPlane(reading: BootstrapReading): readonly Finding[] {
  const { ads, lds, cds, listeners } = reading;
  const places = listeners.flatMap(one => one.places);
  if (ads === undefined && places.length === 0)
    return [problem('no-ads', `no dynamic_resources.ads_config: this Envoy knows no Attaché; ${AGAIN}`)];
  if (ads !== undefined && !ads.includes(XDS_CLUSTER))
    return places.some(place => !place.overAds)
      ? [ok('other-control-plane', `its control plane is ${ads.join(', ')}, Attaché fills the plugin places`)]
      : [
          problem(
            'other-control-plane',
            `its control plane is ${ads.join(', ')}, and no place for plugins is there: ${AGAIN}, which keeps that control plane`,
          ),
        ];
  const elsewhere = [...toElsewhere('listeners', lds), ...toElsewhere('clusters', cds)];
  return [ok('ads', `asks Attaché (cluster ${XDS_CLUSTER})`), ...elsewhere];
}

function toElsewhere(what: 'listeners' | 'clusters', source: string | undefined): readonly Finding[] {
  if (source === 'ads' || source === `cluster ${XDS_CLUSTER}`) return [];
  const key = what === 'listeners' ? 'lds_config' : 'cds_config';
  const from = source === undefined ? `no ${key}` : `${key} leads to ${source}`;
  return [
    warning(
      `${what}-elsewhere`,
      `${from}: ${what} that you apply to Attaché do not reach this Envoy; point ${key} at ADS`,
    ),
  ];
}

function judgeClusters({ clusters, cds }: BootstrapReading): readonly Finding[] {
  const xds = clusters.find(one => one.name === XDS_CLUSTER);
  const hasModules = clusters.some(one => one.name === MODULES_CLUSTER);
  if (xds === undefined)
    return [problem('no-xds-cluster', `cluster ${XDS_CLUSTER} missing, which leads to Attaché: ${AGAIN}`)];
  return [
    ...(xds.http2
      ? []
      : [
          problem(
            'xds-not-http2',
            `cluster ${XDS_CLUSTER} has no http2_protocol_options, and gRPC needs HTTP/2: add them`,
          ),
        ]),
    ...(xds.http2 && !xds.keepalive
      ? [
          warning(
            'xds-no-keepalive',
            `cluster ${XDS_CLUSTER} has no connection_keepalive: a connection that broke silently is noticed late; add interval 30s, timeout 60s`,
          ),
        ]
      : []),
    ...(hasModules || cds === 'ads'
      ? []
      : [
          problem(
            'no-modules-cluster',
            `cluster ${MODULES_CLUSTER} missing, from which modules are fetched: ${AGAIN}`,
          ),
        ]),
  ];
}

function judgeListeners(reading: BootstrapReading): readonly Finding[] {
  const { unanswered, listeners } = reading;
  const http = listeners.filter(one => one.statPrefixes.length > 0);
  const open =
    unanswered === 'deny' ? http.flatMap(one => one.places).filter(place => place.timeoutMs > 0) : [];
  return [
    ...judgePlaces(http),
    ...(open.length === 0
      ? []
      : [
          problem(
            'place-timeout',
            `place ${toNameList(open.map(place => place.name))} waits ${(open[0]?.timeoutMs ?? 0) / 1000} s only, while node.metadata says unanswered: deny, so that after a start requests can pass without the plugin: set initial_fetch_timeout: 0s`,
          ),
        ]),
  ];
}

/** Of listeners with HTTP, wherever they come from. */
export function judgePlaces(listeners: readonly ListenerReading[]): readonly Finding[] {
  const without = listeners.filter(one => one.places.length === 0).map(one => one.name || 'without a name');
  const withPlaces = listeners.length - without.length;
  return [
    ...(withPlaces > 0
      ? [ok('places', `places for plugins in ${toCount(withPlaces, listeners.length)}`)]
      : []),
    ...(without.length === 0
      ? []
      : [
          warning(
            'no-places',
            `listener ${toNameList(without)}: no place for plugins, so none runs there; ${AGAIN}`,
          ),
        ]),
  ];
}

function toCount(some: number, all: number): string {
  if (all === 1) return 'its HTTP listener';
  return some === all ? `all ${all} HTTP listeners` : `${some} of ${all} HTTP listeners`;
}

function judgeStats(reading: BootstrapReading): readonly Finding[] {
  const { sinks, statsConfig, flushOnAdmin, flushIntervalMs, listeners } = reading;
  if (!sinks.includes(XDS_CLUSTER))
    return [
      warning(
        'no-sink',
        `no stats go to Attaché, so gates see neither failing requests nor crashes: ${AGAIN}`,
      ),
    ];
  const lost = describeLostStats(
    statsConfig,
    listeners.flatMap(one => one.statPrefixes),
  );
  return [
    ...(lost.length === 0 ? [ok('sink', 'stats go to Attaché')] : []),
    ...lost.map(sentence => warning('stats-left-out', `stats_config ${sentence}`)),
    ...(flushOnAdmin
      ? [
          warning(
            'flush-on-admin',
            'stats_flush_on_admin: gates see nothing unless somebody asks the admin interface; take it out',
          ),
        ]
      : []),
    ...(flushIntervalMs > SLOW_FLUSH_MS
      ? [
          warning(
            'slow-flush',
            `stats_flush_interval is ${flushIntervalMs / 1000} s: a failing plugin is noticed that late; 5 s is the default`,
          ),
        ]
      : []),
  ];
}
