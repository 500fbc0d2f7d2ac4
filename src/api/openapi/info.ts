/** The head of the OpenAPI document. */
export const INFO = {
  title: 'Attaché',
  description:
    'Proxy-Wasm plugins on plain Envoys. Every answer that is not 2xx is a problem document (RFC 9457) with a stable code; ' +
    'lists come in pages; changes take dryRun, and If-Match where there is a version. Conventions: docs/api.md.',
  version: 'v1',
  license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
} as const;

const TAG_TEXTS = {
  server: 'The server itself',
  plugins: 'Plugin documents, and their revisions',
  plans: 'What documents would do, and what documents of others are',
  rollouts: 'Changes on their way from node to node, and verbs to steer them',
  resources: 'Raw Envoy resources',
  pullsecrets: 'Credentials of registries',
  nodegroups: 'Nodes under names, for targetRefs of plugins',
  nodes: 'Envoys',
  modules: 'Wasm modules, and the built-in registry',
  events: 'What happens',
  audit: 'Who changed what',
  freeze: 'Stopping all changes',
  tokens: 'Who may call this API',
  webhooks: 'Who is told what rollouts come to',
} as const;

export const TAGS = Object.entries(TAG_TEXTS).map(([name, description]) => ({ name, description }));
