import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildPlugin } from '../../../plugins/build.ts';
import { toProtoset } from '../../compile/protoset-sample.ts';
import { readBlocks } from './doc-commands.ts';
import type { DocWorld } from './doc-world.ts';

/** Why a command of a document is not typed here; it is still compared with what `attache` understands. */
export type Reason =
  | 'fetches the project, or installs it'
  | 'is a program that is not on every machine'
  | 'needs another machine, or its service manager'
  | 'has a test of its own'
  | 'stands for many: it has a part to be filled in';

/** What is expected of a command; without a word of it: that it ends with 0. */
export type Expectation =
  | { readonly exits: readonly number[] }
  | { readonly notRun: Reason }
  /** Stays in the foreground of a terminal of its own. */
  | { readonly keeps: 'server' | 'envoy' | 'other' };

/** A document: what it takes for granted, and what is expected of its commands. */
export interface DocStory {
  /** Makes the files and programs that the reader has; runs before the first command. */
  given?(world: DocWorld): Promise<void>;
  /** What a reader does beside, after a command. */
  readonly beside?: Readonly<Record<string, (world: DocWorld) => Promise<void>>>;
  readonly expects?: Readonly<Record<string, Expectation>> | undefined;
}

const READ = (path: string) => readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8');

/** Of one node no steps are needed, and a minute of watching would make a long test. */
const QUICK = '  rollout: { preset: all-at-once, bake: 1s }\n';

async function giveModule(world: DocWorld, path: string): Promise<void> {
  world.write(path, (await buildPlugin('add-header')).bytes);
}

/** A plugin whose module is in the built-in registry. */
function toPlugin(world: DocWorld, name: string, tag: string): string {
  const head = `apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nmetadata: { name: ${name} }\n`;
  return `${head}spec:\n  url: oci://127.0.0.1:${world.ports.api}/${tag}\n  phase: AUTHN\n  pluginConfig: { value: one }\n${QUICK}`;
}

async function typeAll(world: DocWorld, commands: readonly string[]): Promise<void> {
  for (const command of commands) {
    const { code, out, err } = await world.type(command);
    if (code !== 0) throw new Error(`given: ${command}: exit ${code}\n${out}${err}`);
  }
}

/** An envoy.yaml of the reader's own, on ports of this world. */
function giveOwnEnvoy(world: DocWorld): void {
  const { listener, admin } = world.ports;
  const own = world.localize(READ('cli/bootstrap/users-envoy.txt'));
  const moved = own.replace('port_value: 10000', `port_value: ${listener}`);
  world.write('envoy.yaml', moved.replace('port_value: 9901', `port_value: ${admin}`));
}

/** A server, and an Envoy `edge-1` that runs the plugin `auth`. */
async function giveFleet(world: DocWorld): Promise<void> {
  await giveModule(world, 'auth.wasm');
  world.write('plugin.yaml', toPlugin(world, 'auth', 'auth:1.4'));
  await world.keep('server', 'attache serve');
  await typeAll(world, [`attache bootstrap --id edge-1 --admin-port ${world.ports.admin} > managed.yaml`]);
  await world.keep('envoy', 'envoy -c managed.yaml');
  const { listener } = world.ports;
  await typeAll(world, [
    world.localize(
      `attache example listener --port ${listener} --upstream 127.0.0.1:3000 | attache apply -f -`,
    ),
    'attache push auth.wasm auth:1.4',
    'attache apply -f plugin.yaml --wait',
  ]);
}

function notRun(reason: Reason, commands: readonly string[]): DocStory['expects'] {
  return Object.fromEntries(commands.map(command => [command, { notRun: reason }]));
}

export const STORIES: Readonly<Record<string, DocStory>> = {
  'docs/api.md': { given: giveFleet },
  'README.md': {
    async given(world) {
      await giveModule(world, 'build/auth.wasm');
      giveOwnEnvoy(world);
      const shown = readBlocks('README.md').find(({ language }) => language === 'yaml')?.text ?? '';
      const fit = shown.replace('realm: example', 'value: example');
      world.write('plugin.yaml', `${world.localize(fit)}\n${QUICK}`);
    },
    beside: { 'attache serve': world => typeAll(world, ['attache push build/auth.wasm auth:1.4']) },
    expects: {
      ...notRun('fetches the project, or installs it', ['git clone <this repository> attache && cd attache']),
      ...notRun('has a test of its own', ['npm ci && npm run demo', 'docker compose up --build']),
    },
  },
  'docs/access.md': {
    async given(world) {
      // The address of the document is not ours: on loopback tokens have to be asked for.
      await world.type('export ATTACHE_API_AUTH=token');
    },
  },
  'docs/audit.md': {
    given: giveFleet,
    expects: {
      ...notRun('stands for many: it has a part to be filled in', [
        'attache audit --verify --known 4711:77c2…',
      ]),
      ...notRun('is a program that is not on every machine', [
        "sed -n 2p audit.jsonl | jq -cS 'del(.hash)' | tr -d '\\n' | sha256sum",
      ]),
    },
  },
  'docs/bootstrap.md': {
    async given(world) {
      giveOwnEnvoy(world);
      await world.keep('server', 'attache serve');
    },
    expects: { 'attache diff -f listeners': { exits: [3] } },
  },
  'docs/containers.md': {
    // npm run compose:check, where there is a Docker engine.
    expects: notRun('has a test of its own', [
      'docker compose up --build',
      'curl -i http://127.0.0.1:10001/',
      'docker compose exec control-plane attache get nodes',
      'docker compose exec control-plane attache rollout history hello',
      'docker compose down --volumes',
      'docker build -t attache .',
    ]),
  },
  'docs/cli.md': {
    async given(world) {
      for (const name of ['prod.token', 'ca.pem']) world.write(name, `${name}\n`);
      await giveFleet(world);
    },
  },
  'docs/migrating.md': {
    async given(world) {
      await giveModule(world, 'auth.wasm');
      world.write('list.yaml', toPlugin(world, 'auth', 'auth:1.4'));
      world.writeProgram('kubectl', 'exec cat "$(dirname "$0")/../list.yaml"');
      await world.keep('server', 'attache serve');
      await typeAll(world, ['attache push auth.wasm auth:1.4']);
    },
    expects: { 'attache diff -f plugins.yaml': { exits: [3] } },
  },
  'docs/modules.md': {
    async given(world) {
      await giveModule(world, 'auth.wasm');
      world.write('auth.yaml', toPlugin(world, 'auth', 'auth:1.4'));
    },
    expects: notRun('is a program that is not on every machine', [
      'cosign generate-key-pair',
      'cosign sign --key cosign.key registry.example/team/auth@sha256:…',
    ]),
  },
  'docs/nodes.md': { given: giveFleet },
  'docs/operations.md': {
    async given(world) {
      await world.keep('server', 'attache serve');
    },
    beside: {
      // Whatever the day is.
      'attache backup /backup/attache-$(date +%F).tar': world =>
        typeAll(world, ['cp backup/attache-*.tar backup/attache-2026-11-21.tar || true']),
    },
    expects: {
      ...notRun('fetches the project, or installs it', ['npm install -g ./attache-0.1.0.tgz']),
      ...notRun('needs another machine, or its service manager', [
        'useradd --system --home-dir /var/lib/attache --shell /usr/sbin/nologin attache',
        'install -D -m 0640 -g attache examples/attache.yaml /etc/attache/attache.yaml',
        'install -m 0644 examples/attache.service /etc/systemd/system/attache.service',
        'systemctl daemon-reload && systemctl enable --now attache',
        'journalctl -u attache -f',
        'systemctl stop attache',
        'mv /var/lib/attache /var/lib/attache.old && install -d -o attache -g attache -m 0700 /var/lib/attache',
        'runuser -u attache -- attache restore /backup/attache-2026-11-21.tar --data /var/lib/attache',
        'systemctl start attache',
      ]),
    },
  },
  'docs/plugins.md': {
    async given(world) {
      await world.keep('server', 'attache serve');
    },
    beside: {
      // The usual port is not ours here.
      'attache new my-plugin': async world => {
        const path = 'my-plugin/plugin.yaml';
        world.write(path, world.localize(readFileSync(join(world.folder, path), 'utf8')));
      },
    },
  },
  'docs/registry.md': {
    async given(world) {
      await giveModule(world, 'build/auth.wasm');
      await world.keep('server', 'attache serve');
      world.write('token', 'a-word-of-some-length-0123456789\n');
      await typeAll(world, ['attache push build/auth.wasm team/auth:1.4']);
    },
  },
  'docs/resources.md': {
    async given(world) {
      const acme = 'syntax = "proto3"; package acme; message Filter { string name = 1; }';
      world.write('acme.binpb', toProtoset({ 'acme/filter.proto': acme }));
    },
    expects: {
      ...notRun('is a program that is not on every machine', [
        'buf build -o acme.binpb',
        'protoc --include_imports --descriptor_set_out=acme.binpb -I. acme/*.proto',
      ]),
      ...notRun('has a test of its own', ['attache delete cluster app --dry-run']),
    },
  },
  'docs/security.md': {},
  'docs/upgrading.md': {
    async given(world) {
      await world.keep('server', 'attache serve');
    },
    expects: {
      ...notRun('fetches the project, or installs it', ['npm install -g ./attache-0.2.0.tgz']),
      ...notRun('needs another machine, or its service manager', ['systemctl restart attache']),
      // On ports that it finds by itself.
      'attache serve --data /tmp/try --xds-listen 127.0.0.1:0 --modules-listen 127.0.0.1:0 --api-listen 127.0.0.1:0':
        { keeps: 'other' },
    },
  },
  'docs/webhooks.md': {
    async given(world) {
      await world.keep('server', 'attache serve');
    },
    // Nobody has that name.
    expects: { 'attache webhook test on-call': { exits: [1] } },
  },
  'docs/xds.md': {
    expects: notRun('is a program that is not on every machine', [
      'grpcurl -plaintext 127.0.0.1:18000 list',
      'grpcurl -plaintext 127.0.0.1:18000 grpc.health.v1.Health/Check',
      `grpcurl -plaintext -d '{"node_matchers": [{"node_id": {"exact": "edge-1"}}], "exclude_resource_contents": true}' 127.0.0.1:18000 envoy.service.status.v3.ClientStatusDiscoveryService/FetchClientStatus`,
    ]),
  },
};
