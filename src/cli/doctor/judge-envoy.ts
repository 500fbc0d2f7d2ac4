import { toCountText } from '../../model/quantity-text.ts';
import { MODULES_CLUSTER, XDS_CLUSTER } from '../bootstrap-parts.ts';
import { type Finding, ok, problem, toNameList, warning } from './finding.ts';
import { judgeBootstrap, judgePlaces } from './judge-bootstrap.ts';
import type { EnvoyReading } from './read-envoy.ts';

/** The oldest release that the tests run. */
const OLDEST = [1, 36] as const;
/** What Envoy calls a start that is over. */
const LIVE = 'LIVE';

/** What keeps a running Envoy from running its plugins. Pure. */
export function judgeEnvoy(reading: EnvoyReading): readonly Finding[] {
  return [
    ...judgeVersion(reading),
    ...judgeExtensions(reading),
    ...judgeBootstrap(reading.bootstrap),
    ...judgeConnection(reading),
    ...judgeState(reading),
    ...judgeDelivered(reading),
    ...judgeStats(reading),
  ];
}

function judgeVersion({ version }: EnvoyReading): readonly Finding[] {
  return isTested(version)
    ? [ok('envoy', `Envoy ${version}`)]
    : [
        warning(
          'old-envoy',
          `Envoy ${version} is older than what Attaché is tested with (${OLDEST.join('.')} and later): update it`,
        ),
      ];
}

/** Also where it does not say a version that we can read. */
export function isTested(version: string): boolean {
  const [major, minor] = version.split('.').map(Number);
  if (major === undefined || minor === undefined || Number.isNaN(major + minor)) return true;
  return major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]);
}

function judgeExtensions({ extensions, bootstrap }: EnvoyReading): readonly Finding[] {
  const { wasmFilter, v8, filterChain } = extensions;
  const places = bootstrap.listeners.flatMap(one => one.places);
  const chained = places.filter(place => place.types.some(type => type.endsWith('.FilterChainConfig')));
  return [
    ...(wasmFilter && v8
      ? [ok('v8', 'it runs Wasm with V8')]
      : [
          problem(
            'no-v8',
            `this Envoy was built without ${wasmFilter ? 'V8' : 'Wasm'}, so no plugin runs on it: use an official build, e.g. attache envoy install`,
          ),
        ]),
    ...(chained.length > 0 && !filterChain
      ? [
          problem(
            'no-filter-chain',
            `place ${toNameList(chained.map(place => place.name))} asks for filter chains, which this Envoy does not have: write the bootstrap with --plugins NAMES`,
          ),
        ]
      : []),
  ];
}

function judgeConnection({ bootstrap, connections, stats }: EnvoyReading): readonly Finding[] {
  const cluster = bootstrap.clusters.find(one => one.name === XDS_CLUSTER);
  if (cluster === undefined) return [];
  const isAdsOurs = bootstrap.ads?.includes(XDS_CLUSTER) ?? false;
  const connected =
    (connections ?? 0) > 0 && (!isAdsOurs || stats.get('control_plane.connected_state') !== 0);
  return connected
    ? [ok('connected', `connected with Attaché at ${cluster.address}`)]
    : [
        problem(
          'not-connected',
          `not connected with Attaché at ${cluster.address}: start it there, open the way to it, or correct the address of cluster ${XDS_CLUSTER}; Envoy's log says why`,
        ),
      ];
}

function judgeState({ state, waitsFor }: EnvoyReading): readonly Finding[] {
  if (state === LIVE) return [];
  const what = waitsFor.length > 0 ? `, waits for ${toNameList(waitsFor)}` : '';
  return [
    problem(
      'not-live',
      `this Envoy has not started up (${state}${what}) and serves nothing yet: let it reach Attaché`,
    ),
  ];
}

function judgeDelivered({ delivered, bootstrap }: EnvoyReading): readonly Finding[] {
  // Attaché puts places into what it delivers, before Envoy 1.39 as plugins come.
  const isOurs = bootstrap.lds === 'ads' && (bootstrap.ads?.includes(XDS_CLUSTER) ?? false);
  const refused = delivered.filter(one => one.refusal !== undefined);
  const waiting = delivered.filter(one => !one.active && one.refusal === undefined);
  return [
    ...(isOurs ? [] : judgePlaces(delivered.filter(one => one.statPrefixes.length > 0))),
    ...refused.map(one =>
      problem(
        'listener-refused',
        `listener ${one.name} was refused: "${one.refusal?.trim()}"; correct it, and apply it again`,
      ),
    ),
    ...(waiting.length === 0
      ? []
      : [
          warning(
            'listener-waits',
            `listener ${toNameList(waiting.map(one => one.name))} does not serve yet: it waits for its plugins, routes or secrets; attache describe node shows which`,
          ),
        ]),
  ];
}

function judgeStats({ stats, bootstrap }: EnvoyReading): readonly Finding[] {
  const failures = stats.get('wasm.remote_load_fetch_failures') ?? 0;
  const modules = bootstrap.clusters.find(one => one.name === MODULES_CLUSTER);
  const closed = sum(stats, /attache_closed\.denied$/);
  const crashes = Map.groupBy(
    [...stats].flatMap(([name, value]) => {
      const plugin = /^wasm\.(.+)\.vm_reload_(?:success|backoff|failure)$/.exec(name)?.[1];
      return plugin === undefined || value === 0 ? [] : [{ plugin, value }];
    }),
    one => one.plugin,
  );
  return [
    ...(failures > 0
      ? [
          warning(
            'fetch-failures',
            `${toCountText(failures, 'download')} of modules failed since the start: see whether this Envoy reaches ${modules?.address ?? MODULES_CLUSTER}`,
          ),
        ]
      : []),
    ...(closed > 0
      ? [
          warning(
            'closed-place',
            `${toCountText(closed, 'request')} answered 403 by a place whose first answer was refused: attache describe node ${bootstrap.nodeId}`,
          ),
        ]
      : []),
    ...[...crashes].map(([plugin, counts]) =>
      warning(
        'plugin-crashed',
        `plugin ${plugin} crashed ${toCountText(
          counts.reduce((all, one) => all + one.value, 0),
          'time',
        )} since the start: look in Envoy's log for "wasm log ${plugin}"`,
      ),
    ),
  ];
}

function sum(stats: ReadonlyMap<string, number>, pattern: RegExp): number {
  return [...stats].filter(([name]) => pattern.test(name)).reduce((all, [, value]) => all + value, 0);
}
