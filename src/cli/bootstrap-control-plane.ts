import { isMap } from 'yaml';
import type { BootstrapFile } from './bootstrap-file.ts';
import { toAdsConfig, toOverAds, XDS_CLUSTER } from './bootstrap-parts.ts';
import type { BootstrapProof } from './bootstrap-proof.ts';

/** What comes from somewhere else than Attaché; the source is a path, or `cluster NAME`. */
export interface Elsewhere {
  readonly what: 'listeners' | 'clusters';
  readonly source: string;
}

/** What of the user's stays. */
export interface ControlPlaneChange {
  /** Parts of the user's that stand where ours would, and were left alone. */
  readonly kept: readonly string[];
  readonly elsewhere: readonly Elsewhere[];
}

const CONFIGS = [
  ['ads_config', 'adsConfig'],
  ['lds_config', 'ldsConfig'],
  ['cds_config', 'cdsConfig'],
] as const;

/** Adds ADS, LDS and CDS to `dynamic_resources`, where nothing of the user's stands there; another control plane stays. */
export function editDynamicResources(
  file: BootstrapFile,
  proof: BootstrapProof,
  additions: Record<string, unknown>,
): ControlPlaneChange {
  const { splice, root } = file;
  const wanted = { ads_config: toAdsConfig(proof), lds_config: toOverAds(), cds_config: toOverAds() };
  const own = splice.get(root, 'dynamic_resources', 'dynamicResources');
  if (!isMap(own)) {
    const key = splice.has(root, 'dynamicResources') ? 'dynamicResources' : 'dynamic_resources';
    if (splice.has(root, key)) splice.setEntry(root, key, wanted);
    else additions.dynamic_resources = wanted;
    return { kept: [], elsewhere: [] };
  }
  const ads = splice.get(own, 'ads_config', 'adsConfig');
  if (isMap(ads) && !leadsToUs(file, ads))
    return { kept: ['dynamic_resources, with its control plane'], elsewhere: [] };
  const missing: Record<string, unknown> = {};
  const kept: string[] = [];
  const elsewhere: Elsewhere[] = [];
  for (const [key, camel] of CONFIGS) {
    const value = splice.get(own, key, camel);
    if (isMap(value)) {
      kept.push(`dynamic_resources.${key}`);
      const source = describeSource(file, value);
      const what = key === 'lds_config' ? 'listeners' : 'clusters';
      if (key !== 'ads_config' && source !== undefined) elsewhere.push({ what, source });
    } else if (splice.has(own, key, camel))
      splice.setEntry(own, splice.has(own, key) ? key : camel, wanted[key]);
    else missing[key] = wanted[key];
  }
  splice.addEntries(own, missing);
  return { kept, elsewhere };
}

/** The `ads_config` of another control plane than Attaché; undefined: there is none. */
export function findOtherAds(file: BootstrapFile): unknown {
  const { splice, root } = file;
  const ads = splice.get(
    splice.get(root, 'dynamic_resources', 'dynamicResources'),
    'ads_config',
    'adsConfig',
  );
  return isMap(ads) && !leadsToUs(file, ads) ? ads : undefined;
}

/** What is connected with Attaché already stays as its author wants it, e.g. with another `api_type`. */
function leadsToUs({ splice }: BootstrapFile, ads: unknown): boolean {
  return listClusters({ splice }, ads).includes(XDS_CLUSTER);
}

/** The clusters that an API config source names. */
export function listClusters({ splice }: Pick<BootstrapFile, 'splice'>, source: unknown): readonly string[] {
  return splice.items(splice.get(source, 'grpc_services', 'grpcServices')).map(service => {
    const envoyGrpc = splice.get(service, 'envoy_grpc', 'envoyGrpc');
    const googleGrpc = splice.get(service, 'google_grpc', 'googleGrpc');
    return (
      splice.text(envoyGrpc, 'cluster_name', 'clusterName') ??
      splice.text(googleGrpc, 'target_uri', 'targetUri') ??
      ''
    );
  });
}

/** Undefined: over ADS. */
function describeSource(file: BootstrapFile, source: unknown): string | undefined {
  const { splice } = file;
  const path =
    splice.text(splice.get(source, 'path_config_source', 'pathConfigSource'), 'path') ??
    splice.text(source, 'path');
  if (path !== undefined) return path;
  const api = splice.get(source, 'api_config_source', 'apiConfigSource');
  const clusters = listClusters(file, api);
  return clusters.length === 0 || clusters.includes(XDS_CLUSTER)
    ? undefined
    : `cluster ${clusters.join(', ')}`;
}
