/** Bodies that the API takes, for the OpenAPI document; a test sends each of them. */

export const PLUGIN = {
  apiVersion: 'attache/v1',
  kind: 'Plugin',
  metadata: { name: 'auth' },
  spec: {
    url: 'oci://registry.example/auth:1.4',
    phase: 'AUTHN',
    selector: { matchLabels: { app: 'gateway' } },
    pluginConfig: { realm: 'example' },
    rollout: { preset: 'standard' },
  },
} as const;

export const PATCH = { spec: { pluginConfig: { realm: 'other' }, rollout: null } } as const;

export const RESOURCE = {
  apiVersion: 'attache/v1',
  kind: 'EnvoyResource',
  metadata: { name: 'app' },
  spec: {
    resource: {
      '@type': 'type.googleapis.com/envoy.config.cluster.v3.Cluster',
      name: 'app',
      type: 'STRICT_DNS',
      connectTimeout: '1s',
      loadAssignment: {
        clusterName: 'app',
        endpoints: [
          {
            lbEndpoints: [
              { endpoint: { address: { socketAddress: { address: 'app.internal', portValue: 8080 } } } },
            ],
          },
        ],
      },
    },
  },
} as const;

export const PULL_SECRET = {
  apiVersion: 'attache/v1',
  kind: 'PullSecret',
  metadata: { name: 'registry' },
  dockerConfig: { auths: { 'registry.example': { username: 'ci', password: 'not-a-password' } } },
} as const;

export const NODE_GROUP = {
  apiVersion: 'attache/v1',
  kind: 'NodeGroup',
  metadata: { name: 'edge' },
  spec: { selector: { matchLabels: { tier: 'edge' } } },
} as const;

export const PLAN = [PLUGIN, { delete: { kind: 'Plugin', name: 'old' } }] as const;

export const ISTIO_PLUGIN = {
  apiVersion: 'extensions.istio.io/v1alpha1',
  kind: 'WasmPlugin',
  metadata: { name: 'auth', namespace: 'shop' },
  spec: { url: 'oci://registry.example/auth:1.4' },
} as const;

export const MESSAGE = { message: 'JIRA-812' } as const;
