/** Whether `attache test` says of requests what a real Envoy does with them. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { buildPlugin } from '../../plugins/build.ts';
import { readRequestFile } from '../../src/cli/plugin/request-file.ts';
import type { Exchange, PluginRun, RunPlan } from '../../src/model/plugin-run.ts';
import { runPlugin } from '../../src/module/trial/stream/run-plugin.ts';
import { E2E_VERSIONS } from '../harness/envoy-binary.ts';
import {
  type EnvoyExchange,
  isAboutBody,
  startPluginInEnvoy,
  untilLogged,
} from '../harness/plugin-in-envoy.ts';
import { systemClock } from '../module/actors.ts';

const folder = mkdtempSync(join(tmpdir(), 'attache-agreement-'));
after(() => rmSync(folder, { recursive: true }));

function planOf(text: string): RunPlan {
  const path = join(folder, 'requests.yaml');
  writeFileSync(path, text);
  return readRequestFile(path, 'it').plan;
}

const run = (bytes: Uint8Array, plan: RunPlan): Promise<PluginRun> =>
  runPlugin(bytes, plan, systemClock, new AbortController().signal);

/** What both say of an exchange: what the client got, what the application got, of the headers those that matter. */
interface Seen {
  readonly status: string | undefined;
  readonly body: string | undefined;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly forwarded: {
    readonly body: string;
    readonly headers: Readonly<Record<string, string | undefined>>;
  } | null;
}

function ours({ response, request, isForwarded }: Exchange, names: readonly string[]): Seen {
  const pick = (pairs: Exchange['request']['after']['headers']) =>
    Object.fromEntries(
      names.map(name => [
        name,
        pairs
          .filter(([one]) => one === name)
          .map(([, value]) => value)
          .join(', ') || undefined,
      ]),
    );
  return {
    status: response?.after.headers.find(([name]) => name === ':status')?.[1],
    body: response?.after.body,
    headers: pick(response?.after.headers ?? []),
    forwarded: isForwarded ? { body: request.after.body, headers: pick(request.after.headers) } : null,
  };
}

function envoys({ status, body, headers, forwarded }: EnvoyExchange, names: readonly string[]): Seen {
  const pick = (of: EnvoyExchange['headers']) =>
    Object.fromEntries(names.map(name => [name, of[name]?.toString()]));
  return {
    status,
    body,
    headers: pick(headers),
    forwarded: forwarded === undefined ? null : { body: forwarded.body, headers: pick(forwarded.headers) },
  };
}

async function assertSame(
  t: TestContext,
  name: string,
  version: string,
  plan: RunPlan,
  names: readonly string[],
) {
  const { bytes, path } = await buildPlugin(name);
  const plugin = await startPluginInEnvoy(t, path, plan, { version, concurrency: 1 });
  const said = await run(bytes, plan);
  assert.equal(said.outcome, 'ok', said.reason);
  for (const [i, step] of plan.steps.entries()) {
    const exchange = said.exchanges[i];
    assert.ok(exchange !== undefined, step.name);
    assert.deepEqual(ours(exchange, names), envoys(await plugin.send(step), names), step.name);
  }
  const lines = said.exchanges
    .flatMap(({ logs }) => logs.map(({ message }) => message))
    .filter(line => !isAboutBody(line));
  assert.deepEqual(await untilLogged(plugin, lines.length), lines);
}

const BASIC_AUTH = `
pluginConfig: {realm: staging, users: {alice: "geheim: ß", bob: b}}
requests:
  - {path: /}
  - {headers: {authorization: "Basic ${btoa('bob:b')}"}}
  - {headers: {authorization: "basic ${btoa('bob:b')}", x-auth-user: mallory}}
  - {headers: {authorization: "Basic ${Buffer.from('alice:geheim: ß').toString('base64')}"}, response: {body: inside}}
  - {headers: {authorization: "Basic ${btoa('bob:B')}"}}
  - {headers: {authorization: "Basic ${btoa('eve:')}"}}
  - {headers: {authorization: "Basic ???"}}
  - {headers: {authorization: "Bearer b"}, method: POST, body: something}
`;

const PROBE = `
calls:
  - {cluster: upstream, path: /called, status: 201, body: called}
requests:
  - {headers: {x-probe: none}, path: "/path?query"}
  - {headers: {x-probe: hold-request}, body: one}
  - {headers: {x-probe: hold-response}, response: {body: answer}}
  - {headers: {x-probe: local-at-headers}}
  - {headers: {x-probe: local-at-headers}, body: one}
  - {headers: {x-probe: local-at-body}, body: one}
  - {headers: {x-probe: local-at-response}, response: {body: answer}}
  - {headers: {x-probe: call}}
  - {headers: {x-probe: call nowhere}}
  - {headers: {x-probe: call local-at-call}}
  - {headers: {x-probe: none}, response: {status: 204}}
`;

for (const version of E2E_VERSIONS) {
  test(`basic-auth in Envoy ${version} does what attache test says`, async t => {
    const names = ['www-authenticate', 'x-auth-user', 'content-type'];
    await assertSame(t, 'basic-auth', version, planOf(BASIC_AUTH), names);
  });

  test(`callbacks, bodies, answers and calls in Envoy ${version} are as attache test has them`, async t => {
    const names = ['x-seen', 'x-probed', 'x-local', 'x-called'];
    await assertSame(t, 'probe', version, planOf(PROBE), names);
  });

  test(`rate-limit in Envoy ${version} lets through what attache test says, over all workers`, async t => {
    const plan = planOf('pluginConfig: {requestsPerSecond: 1, burst: 3}\nrequests:\n  - {times: 8}');
    const { bytes, path } = await buildPlugin('rate-limit');
    // Each request has a connection of its own: they go to both workers, which share a bucket.
    const plugin = await startPluginInEnvoy(t, path, plan, { version, concurrency: 2 });
    const seen: EnvoyExchange[] = [];
    for (const step of plan.steps) seen.push(await plugin.send(step));
    assert.deepEqual(new Set(seen.map(({ headers }) => headers['x-rate-limit'])), new Set(['1']));
    assert.ok(seen.some(({ status }) => status === '403') && seen[0]?.status === '200');
    // At the times at which the Envoy got them.
    const steps = plan.steps.map((step, i) => ({
      ...step,
      afterMs: (seen[i]?.atMs ?? 0) - (seen[i - 1]?.atMs ?? 0),
    }));
    const said = await run(bytes, {
      ...plan,
      steps: steps.map(step => ({ ...step, afterMs: Math.round(step.afterMs) })),
    });
    const statuses = said.exchanges.map(exchange => ours(exchange, []).status);
    assert.deepEqual(
      statuses,
      seen.map(({ status }) => status),
    );
    assert.equal(said.metrics.rate_limit_refused, statuses.filter(status => status === '403').length);
  });
}
