/** What an Envoy with one plugin is made of. */
export interface PluginBootstrap {
  /** Envoy's PluginConfig.name: its log lines begin with it. */
  readonly plugin: string;
  /** Envoy's root_id. */
  readonly pluginName: string;
  /** Path of the module. */
  readonly module: string;
  /** The text that the plugin gets; empty: none. */
  readonly pluginConfig: string;
  readonly env: Readonly<Record<string, string>>;
  /** On loopback. */
  readonly port: number;
  readonly adminPort: number;
  readonly upstream: { readonly host: string; readonly port: number };
}

const V3 = 'type.googleapis.com/envoy.extensions.';
const HCM = `${V3}filters.network.http_connection_manager.v3.HttpConnectionManager`;

/** A bootstrap of one listener with the plugin before its router. No control plane. */
export function toPluginBootstrap(of: PluginBootstrap): object {
  const { port, adminPort, upstream, plugin } = of;
  const routes = [{ match: { prefix: '/' }, route: { cluster: 'upstream' } }];
  const manager = {
    '@type': HCM,
    stat_prefix: 'ingress',
    route_config: { virtual_hosts: [{ name: 'all', domains: ['*'], routes }] },
    http_filters: [
      { name: plugin, typed_config: toWasmFilter(of) },
      {
        name: 'envoy.filters.http.router',
        typed_config: { '@type': `${V3}filters.http.router.v3.Router` },
      },
    ],
  };
  return {
    node: { id: 'local', cluster: 'local' },
    admin: { address: toAddress('127.0.0.1', adminPort) },
    static_resources: {
      listeners: [
        {
          name: 'ingress',
          address: toAddress('127.0.0.1', port),
          filter_chains: [{ filters: [{ name: 'http', typed_config: manager }] }],
        },
      ],
      clusters: [
        {
          name: 'upstream',
          type: 'STRICT_DNS',
          load_assignment: {
            cluster_name: 'upstream',
            endpoints: [
              { lb_endpoints: [{ endpoint: { address: toAddress(upstream.host, upstream.port) } }] },
            ],
          },
        },
      ],
    },
  };
}

/** As Attaché gives it to an Envoy, but for where the code is. */
function toWasmFilter({ plugin, pluginName, module, pluginConfig, env }: PluginBootstrap): object {
  const configuration = { '@type': 'type.googleapis.com/google.protobuf.StringValue', value: pluginConfig };
  return {
    '@type': `${V3}filters.http.wasm.v3.Wasm`,
    config: {
      name: plugin,
      root_id: pluginName,
      failure_policy: 'FAIL_RELOAD',
      vm_config: {
        vm_id: plugin,
        runtime: 'envoy.wasm.runtime.v8',
        code: { local: { filename: module } },
        ...(Object.keys(env).length === 0 ? {} : { environment_variables: { key_values: env } }),
      },
      ...(pluginConfig === '' ? {} : { configuration }),
    },
  };
}

function toAddress(address: string, port: number): object {
  return { socket_address: { address, port_value: port } };
}
