import { LISTENER_TYPE, ROUTE_TYPE } from '../model/type-url.ts';
import {
  type ControlPlaneAddress,
  toClusterDocument,
  toOverAds,
  toSocketAddress,
} from './bootstrap-parts.ts';
import { toYaml } from './to-yaml.ts';

const HTTP = 'type.googleapis.com/envoy.extensions.filters';

/**
 * A listener, its routes and their cluster, as documents for `attache apply -f`: everything on `listen` goes to
 * `upstream`. Plain fields only, the same on every Envoy that Attaché serves.
 */
export function toExampleListener(
  name: string,
  listen: ControlPlaneAddress,
  upstream: ControlPlaneAddress,
): string {
  const documents = [
    toClusterDocument(`${name}_upstream`, upstream),
    toRoutes(name),
    toListener(name, listen),
  ];
  return documents.map(document => toYaml(document)).join('---\n');
}

function toRoutes(name: string): object {
  const route = { match: { prefix: '/' }, route: { cluster: `${name}_upstream` } };
  return {
    '@type': ROUTE_TYPE,
    name: `${name}_routes`,
    virtual_hosts: [{ name: 'all', domains: ['*'], routes: [route] }],
  };
}

function toListener(name: string, listen: ControlPlaneAddress): object {
  const router = {
    name: 'envoy.filters.http.router',
    typed_config: { '@type': `${HTTP}.http.router.v3.Router` },
  };
  const manager = {
    '@type': `${HTTP}.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: name,
    rds: { route_config_name: `${name}_routes`, config_source: toOverAds() },
    http_filters: [router],
  };
  return {
    '@type': LISTENER_TYPE,
    name,
    address: toSocketAddress(listen),
    filter_chains: [
      { filters: [{ name: 'envoy.filters.network.http_connection_manager', typed_config: manager }] },
    ],
  };
}
