/** What `attache serve` can be told; ./config.ts reads it, docs/configuration.md lists it. */

/** One row per setting: its name is the flag, the key in attache.yaml and, in capitals, `ATTACHE_<NAME>`. */
export interface Setting {
  readonly name: SettingName;
  readonly value: string;
  readonly help: string;
  /** Several values: a repeated flag, a list in YAML, commas anywhere. */
  readonly list?: true;
}

export const DEFAULTS = {
  data: './attache-data',
  'xds-listen': '127.0.0.1:18000',
  'modules-listen': '127.0.0.1:18001',
  'api-listen': '127.0.0.1:18002',
  'api-auth': 'loopback',
  'root-namespace': 'istio-system',
  'tag-interval': '10m',
  'module-quota': '10GB',
  'log-level': 'info',
} as const;

export type SettingName =
  | keyof typeof DEFAULTS
  | 'metrics-listen'
  | 'advertise'
  | 'allow-plaintext'
  | 'tls-cert'
  | 'tls-key'
  | 'client-ca'
  | 'node-auth'
  | 'node-identity'
  | 'node-claims'
  | 'insecure-registry'
  | 'registries'
  | 'docker-config'
  | 'secret-key'
  | 'module-directory'
  | 'publish-token'
  | 'allow-private-host'
  | 'signatures'
  | 'protoset'
  | 'allow-node-admin'
  | 'node-log-directory'
  | 'xds-limit'
  | 'public-url'
  | 'if-match';

export const SETTINGS: readonly Setting[] = [
  { name: 'data', value: 'DIR', help: 'data directory (default ./attache-data)' },
  { name: 'xds-listen', value: 'HOST:PORT', help: 'xDS for Envoys, gRPC (default 127.0.0.1:18000)' },
  { name: 'modules-listen', value: 'HOST:PORT', help: 'modules for Envoys, HTTP (default 127.0.0.1:18001)' },
  { name: 'api-listen', value: 'HOST:PORT', help: 'REST API and registry (default 127.0.0.1:18002)' },
  {
    name: 'metrics-listen',
    value: 'HOST:PORT',
    help: 'metrics for Prometheus, and nothing else (default: only on the API port)',
  },
  {
    name: 'api-auth',
    value: 'WHO',
    help: 'token: the API asks for tokens on loopback too (default loopback: there it does not)',
  },
  { name: 'advertise', value: 'HOST', help: 'host that Envoys use; required with a wildcard address' },
  {
    name: 'allow-plaintext',
    value: 'WHICH',
    help: 'xds,modules,api may speak plain text off loopback',
    list: true,
  },
  { name: 'tls-cert', value: 'FILE', help: 'certificate of the server, PEM; with it the ports speak TLS' },
  { name: 'tls-key', value: 'FILE', help: 'its key, PEM' },
  { name: 'client-ca', value: 'FILE', help: 'CAs of the certificates of Envoys, PEM', list: true },
  {
    name: 'node-auth',
    value: 'HOW',
    help: 'mtls, token or none: how Envoys prove which node they are (default none, on loopback)',
  },
  {
    name: 'node-identity',
    value: 'NAME',
    help: 'the name in the certificate of node {id}, e.g. spiffe://example.org/node/{id}',
  },
  {
    name: 'node-claims',
    value: 'WHAT',
    help: 'kept or ignored: namespace and labels that nodes say they have (default kept with node-auth none)',
  },
  { name: 'insecure-registry', value: 'HOST:PORT', help: 'registry spoken to over plain HTTP', list: true },
  {
    name: 'registries',
    value: 'FILE',
    help: 'mirrors, plain HTTP and CAs of registries, YAML (default: none)',
  },
  { name: 'root-namespace', value: 'NS', help: 'its plugins select nodes everywhere (default istio-system)' },
  { name: 'docker-config', value: 'FILE', help: 'registry credentials (default ~/.docker/config.json)' },
  {
    name: 'tag-interval',
    value: 'DURATION',
    help: 'how often tags of imagePullPolicy Always are looked up, or off (default 10m)',
  },
  { name: 'secret-key', value: 'FILE', help: 'key of stored pull secrets (default secret-key in data)' },
  { name: 'module-directory', value: 'DIR', help: 'where file:// modules may lie (default: nowhere)' },
  { name: 'module-quota', value: 'SIZE', help: 'room for modules and the built-in registry (default 10GB)' },
  { name: 'publish-token', value: 'FILE', help: 'token that pushing to the built-in registry takes' },
  {
    name: 'allow-private-host',
    value: 'HOST',
    help: 'host of modules or webhooks that may have a private address',
    list: true,
  },
  { name: 'signatures', value: 'FILE', help: 'who has to sign which modules, YAML (default: nobody)' },
  {
    name: 'protoset',
    value: 'FILE',
    help: 'descriptors of Envoy extensions that Attaché does not know',
    list: true,
  },
  { name: 'allow-node-admin', value: 'HOST:PORT', help: 'admin of an Envoy off loopback', list: true },
  { name: 'node-log-directory', value: 'DIR', help: 'where logs of Envoys may be read (default: nowhere)' },
  { name: 'xds-limit', value: 'LIMIT', help: 'NAME=VALUE, one of the limits of the xDS port', list: true },
  {
    name: 'public-url',
    value: 'URL',
    help: 'where people reach the API: links of webhooks lead there (default its own address)',
  },
  {
    name: 'if-match',
    value: 'WHEN',
    help: 'optional or required: whether a change names the version that it is of (default optional)',
  },
  { name: 'log-level', value: 'LEVEL', help: 'debug, info, warn, error or silent (default info)' },
];
