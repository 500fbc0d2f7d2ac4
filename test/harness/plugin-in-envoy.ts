import { createServer, type IncomingHttpHeaders, request as sendRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { toPluginBootstrap } from '../../src/cli/plugin/plugin-bootstrap.ts';
import type { RunPlan, RunStep } from '../../src/model/plugin-run.ts';
import { stopAfter } from './cleanup.ts';
import { type EnvoyProcess, startEnvoy } from './envoy-process.ts';
import { until } from './wait.ts';

/** What a real Envoy made of a step. */
export interface EnvoyExchange {
  readonly status: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** As the application got it; absent: it did not. */
  readonly forwarded?: { readonly headers: IncomingHttpHeaders; readonly body: string };
  /** When it was sent, ms after the first. */
  readonly atMs: number;
}

export interface PluginInEnvoy {
  readonly envoy: EnvoyProcess;
  send(step: RunStep): Promise<EnvoyExchange>;
  /** What the plugin logged up to now, without level and names. */
  logs(): Promise<readonly string[]>;
}

/**
 * A plugin in an Envoy, with an application behind it that answers each step as its file says; the cluster `upstream` answers
 * the calls of the plan.
 */
export async function startPluginInEnvoy(
  t: TestContext,
  module: string,
  plan: RunPlan,
  options: { readonly version: string; readonly concurrency: number },
): Promise<PluginInEnvoy> {
  let current: RunStep | undefined;
  let got: EnvoyExchange['forwarded'];
  const server = createServer(async (request, response) => {
    // A request that the plugin answers in its middle never comes to its end here.
    const body = await readText(request).catch(() => undefined);
    if (body === undefined) return;
    const call = plan.calls.find(({ path }) => path === request.url);
    if (call === undefined) got = { headers: request.headers, body };
    const message = call?.message ?? current?.response;
    for (const [name, value] of message?.headers ?? [])
      if (!name.startsWith(':')) response.appendHeader(name, value);
    response.statusCode = Number(message?.headers.find(([name]) => name === ':status')?.[1] ?? 200);
    response.end(message?.body.join(''));
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  stopAfter(t, {
    async stop() {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
  });
  const bootstrap = toPluginBootstrap({
    ...{ plugin: 'it', pluginName: plan.pluginName, module, pluginConfig: plan.pluginConfig, env: plan.env },
    ...{
      port: 0,
      adminPort: 0,
      upstream: { host: '127.0.0.1', port: (server.address() as AddressInfo).port },
    },
  });
  const envoy = stopAfter(t, await startEnvoy({ bootstrap, ...options }));
  await envoy.waitReady();
  const port = await envoy.listenerPort('ingress');
  const began = performance.now();
  return {
    envoy,
    async send(step) {
      current = step;
      got = undefined;
      const atMs = performance.now() - began;
      const answer = await send(port, step);
      return { ...answer, atMs, ...(got === undefined ? {} : { forwarded: got }) };
    },
    async logs() {
      await turn();
      const lines = (await envoy.log()).split('\n');
      return lines.flatMap(line => /wasm log it[^:]*: (.*)$/.exec(line)?.[1] ?? []);
    },
  };
}

/** Lines come a moment after the answer. In how many parts a body comes is a matter of chance: no lines about those. */
export function untilLogged(plugin: PluginInEnvoy, count: number): Promise<readonly string[]> {
  return until(
    async () => {
      const lines = (await plugin.logs()).filter(line => !isAboutBody(line));
      return lines.length >= count && lines;
    },
    { what: `${count} log lines of the plugin` },
  );
}

/** Of the plugin `probe`. */
export function isAboutBody(line: string): boolean {
  return /^re\w+ (body|header in body) /.test(line);
}

async function readText(message: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of message) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

function send(port: number, { request }: RunStep): Promise<Omit<EnvoyExchange, 'atMs'>> {
  const of = (wanted: string) => request.headers.find(([name]) => name === wanted)?.[1];
  const headers = request.headers.filter(([name]) => !name.startsWith(':')).flat();
  return new Promise((resolve, reject) => {
    const sent = sendRequest(
      {
        ...{ host: '127.0.0.1', port, path: of(':path'), method: of(':method'), agent: false },
        headers: ['host', of(':authority') ?? '', 'connection', 'close', ...headers],
      },
      async response => {
        try {
          const body = await readText(response);
          resolve({ status: String(response.statusCode), headers: response.headers, body });
        } catch (error) {
          reject(error);
        }
      },
    );
    sent.once('error', reject);
    sent.end(request.body.join(''));
  });
}
