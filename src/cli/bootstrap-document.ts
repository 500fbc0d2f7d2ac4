import { PHASES } from '../model/plugin-spec.ts';
import {
  type ControlPlaneAddress,
  type PlaceLayout,
  toAdsConfig,
  toClusters,
  toLayeredRuntime,
  toLeanStats,
  toOverAds,
  toSocketAddress,
  toStatsSink,
  type Unanswered,
} from './bootstrap-parts.ts';
import type { BootstrapProof } from './bootstrap-proof.ts';
import { toYaml } from './to-yaml.ts';

/** What `attache bootstrap` was told, addresses resolved. */
export interface BootstrapOptions {
  readonly id: string | undefined;
  readonly cluster: string | undefined;
  readonly namespace: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly adminPort: number | undefined;
  readonly leanStats: boolean;
  readonly xds: ControlPlaneAddress;
  readonly modules: ControlPlaneAddress;
  readonly layout: PlaceLayout;
  /** Names of plugins that get a place each; single layout only. */
  readonly plugins: readonly string[];
  readonly unanswered: Unanswered;
  /** Names of runtimes that the Envoy asks for. */
  readonly runtimes: readonly string[];
  readonly proof: BootstrapProof;
}

/** A whole bootstrap for an Envoy whose listeners come from Attaché. */
export function toBootstrap(id: string, options: BootstrapOptions): string {
  const metadata = toNodeMetadata(options);
  const document = {
    node: {
      id,
      cluster: options.cluster ?? id,
      ...(Object.keys(metadata).length === 0 ? {} : { metadata }),
    },
    ...(options.adminPort === undefined ? {} : { admin: toAdmin(options.adminPort) }),
    dynamic_resources: {
      ads_config: toAdsConfig(options.proof),
      lds_config: toOverAds(),
      cds_config: toOverAds(),
    },
    static_resources: { clusters: Object.values(toClusters(options.xds, options.modules, options.proof)) },
    ...(options.runtimes.length === 0 ? {} : { layered_runtime: toLayeredRuntime(options.runtimes) }),
    stats_sinks: [toStatsSink(options.proof)],
    ...(options.leanStats ? { stats_config: toLeanStats() } : {}),
  };
  return toYaml(document);
}

/** Namespace and labels as Istio's proxies send them. */
export function toNodeMetadata(options: BootstrapOptions): Record<string, unknown> {
  return {
    ...(options.namespace === undefined ? {} : { NAMESPACE: options.namespace }),
    ...(Object.keys(options.labels).length === 0 ? {} : { LABELS: options.labels }),
  };
}

export function toAdmin(port: number): object {
  return { address: toSocketAddress({ host: '127.0.0.1', port }) };
}

/** The names of the places of a listener: the four phases, or the plugins that were named. */
export function toPlaceNames(options: BootstrapOptions): readonly string[] {
  if (options.layout === 'chain' || options.plugins.length === 0) return PHASES.map(phase => phase.slot);
  const namespace = options.namespace ?? 'default';
  return options.plugins.map(plugin => (plugin.includes('/') ? plugin : `${namespace}/${plugin}`));
}
