import type { DefineCommand } from './command-context.ts';

/** A verb, and where its code is: loaded only when it is used, so that `--help` stays fast. */
export interface Verb {
  readonly name: string;
  readonly summary: string;
  load(): Promise<{ define: DefineCommand }>;
}

/** In the order in which a newcomer needs them. */
export const VERBS: readonly Verb[] = [
  {
    name: 'demo',
    summary: 'the whole story, live, in a minute',
    load: () => import('./commands/demo.ts'),
  },
  { name: 'serve', summary: 'run the control plane', load: () => import('./commands/serve.ts') },
  {
    name: 'backup',
    summary: 'write all that a running server keeps into a file',
    load: () => import('./commands/backup.ts'),
  },
  {
    name: 'restore',
    summary: 'fill a new data directory from a backup',
    load: () => import('./commands/restore.ts'),
  },
  {
    name: 'pki',
    summary: 'make certificates for Attaché and its Envoys',
    load: () => import('./commands/pki.ts'),
  },
  {
    name: 'bootstrap',
    summary: 'print an Envoy bootstrap',
    load: () => import('./commands/bootstrap.ts'),
  },
  {
    name: 'doctor',
    summary: 'say what is wrong with a bootstrap, an Envoy or the server',
    load: () => import('./commands/doctor.ts'),
  },
  {
    name: 'example',
    summary: 'print documents to start from',
    load: () => import('./commands/example.ts'),
  },
  { name: 'envoy', summary: 'install and run an Envoy', load: () => import('./commands/envoy.ts') },
  {
    name: 'new',
    summary: 'begin a plugin',
    load: () => import('./commands/new.ts'),
  },
  {
    name: 'build',
    summary: 'compile a plugin',
    load: () => import('./commands/build.ts'),
  },
  {
    name: 'test',
    summary: 'run a plugin against a file of requests, without an Envoy',
    load: () => import('./commands/test.ts'),
  },
  { name: 'push', summary: 'push a module to a registry', load: () => import('./commands/push.ts') },
  {
    name: 'pull',
    summary: 'get a module from a registry as a file',
    load: () => import('./commands/pull.ts'),
  },
  {
    name: 'search',
    summary: 'look for modules in the built-in registry',
    load: () => import('./commands/search.ts'),
  },
  {
    name: 'inspect',
    summary: 'tell what is in an artifact or a .wasm file',
    load: () => import('./commands/inspect.ts'),
  },
  {
    name: 'check',
    summary: 'say what Envoys would do with a .wasm file, without any',
    load: () => import('./commands/check.ts'),
  },
  {
    name: 'tag',
    summary: 'give a module in a registry another tag',
    load: () => import('./commands/tag.ts'),
  },
  {
    name: 'apply',
    summary: 'create or change plugins and resources',
    load: () => import('./commands/apply.ts'),
  },
  {
    name: 'diff',
    summary: 'say what apply would change, or what a node has not',
    load: () => import('./commands/diff.ts'),
  },
  {
    name: 'convert',
    summary: 'turn plugins of Istio and others into documents for apply',
    load: () => import('./commands/convert.ts'),
  },
  {
    name: 'rollout',
    summary: 'watch and steer how a change goes from node to node',
    load: () => import('./commands/rollout.ts'),
  },
  {
    name: 'get',
    summary: 'list plugins, nodes, rollouts, resources, modules',
    load: () => import('./commands/get.ts'),
  },
  {
    name: 'describe',
    summary: 'tell all about a plugin, a node or a rollout',
    load: () => import('./commands/describe.ts'),
  },
  {
    name: 'events',
    summary: 'tell what happened, and go on telling with -f',
    load: () => import('./commands/events.ts'),
  },
  {
    name: 'audit',
    summary: 'tell who changed what, and what was refused',
    load: () => import('./commands/audit.ts'),
  },
  {
    name: 'webhook',
    summary: 'tell chats and pagers what rollouts come to',
    load: () => import('./commands/webhook.ts'),
  },
  {
    name: 'delete',
    summary: 'take a plugin or a resource away, or forget a node',
    load: () => import('./commands/delete.ts'),
  },
  {
    name: 'node',
    summary: 'take a node out of rollouts or in again, and say what it is',
    load: () => import('./commands/node.ts'),
  },
  {
    name: 'config',
    summary: 'print the Envoy resources of a node',
    load: () => import('./commands/config.ts'),
  },
  {
    name: 'logs',
    summary: 'print what the plugins of a node logged last',
    load: () => import('./commands/logs.ts'),
  },
  {
    name: 'bundle',
    summary: 'all about a node or a rollout in one file, for a report',
    load: () => import('./commands/bundle.ts'),
  },
  {
    name: 'freeze',
    summary: 'stop all changes',
    load: () => import('./commands/freeze.ts'),
  },
  {
    name: 'unfreeze',
    summary: 'take changes again',
    load: () => import('./commands/unfreeze.ts'),
  },
  {
    name: 'token',
    summary: 'give rights to people and machines, and take them',
    load: () => import('./commands/token.ts'),
  },
  {
    name: 'whoami',
    summary: 'print who the server takes you for',
    load: () => import('./commands/whoami.ts'),
  },
  {
    name: 'registry',
    summary: 'log in to a registry, or out of it',
    load: () => import('./commands/registry.ts'),
  },
  {
    name: 'context',
    summary: 'keep servers by name, and say which one is used',
    load: () => import('./commands/context.ts'),
  },
  {
    name: 'completion',
    summary: 'print what makes your shell complete commands',
    load: () => import('./commands/completion.ts'),
  },
  {
    name: 'version',
    summary: 'print the version of this program',
    load: () => import('./commands/version.ts'),
  },
];
