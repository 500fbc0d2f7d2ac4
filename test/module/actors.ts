import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { silentMeter } from '../../src/model/meter.ts';
import { type Clock, type RandomHex, silentLog } from '../../src/model/ports.ts';
import { type BlobCache, type BlobCacheOptions, openBlobCache } from '../../src/module/blob-cache.ts';
import {
  type BuiltInRegistry,
  type BuiltInRegistryOptions,
  createBuiltInRegistry,
} from '../../src/module/built-in-registry.ts';
import type { ModuleSourceOptions } from '../../src/module/fetch-module.ts';
import type { RegistryAudit } from '../../src/module/registry-audit.ts';
import { createSeal } from '../../src/store/seal.ts';
import { buildProxyWasm } from '../fixtures/wasm-builder.ts';
import { stopAfter } from '../harness/cleanup.ts';

export const random: RandomHex = bytes => randomBytes(bytes).toString('hex');

export const systemClock: Clock = {
  now: () => Date.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};

/** Everybody has every right. */
export const anybody = async (): Promise<string> => 'admin';
/** There is no store to keep it. */
export const NO_AUDIT: RegistryAudit = { changed: async () => {}, denied: async () => {} };

/** Closes pull secrets with a key of no secrecy. */
export const testSeal = createSeal(Buffer.alloc(32, 7), random);

/** Short limits, so that what never answers is seen soon. */
export const SHORT_LIMITS = {
  connectMs: 2_000,
  firstByteMs: 1_000,
  stallMs: 1_000,
  totalMs: 5_000,
  answerMs: 4_000,
  mirrorMs: 500,
};

/** A directory that is gone after the test. */
export async function makeDirectory(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'attache-test-'));
  stopAfter(t, { stop: () => rm(path, { recursive: true, force: true }) });
  return path;
}

export async function makeCache(t: TestContext): Promise<BlobCache> {
  return openTestCache(join(await makeDirectory(t), 'modules'));
}

/** A cache over a directory that may be there already. */
export function openTestCache(directory: string, more: Partial<BlobCacheOptions> = {}): Promise<BlobCache> {
  const quotaBytes = 1 << 30;
  return openBlobCache({ directory, quotaBytes, clock: systemClock, random, log: silentLog, ...more });
}

export interface WebServer {
  /** `127.0.0.1:PORT` */
  readonly host: string;
  readonly requests: readonly { readonly line: string; readonly headers: IncomingMessage['headers'] }[];
}

/** An HTTP server on a free port, with a record of what it was asked; it is closed after the test. */
export async function startWeb(
  t: TestContext,
  handler: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<WebServer> {
  const requests: { line: string; headers: IncomingMessage['headers'] }[] = [];
  const server: Server = createServer((request, response) => {
    requests.push({ line: `${request.method} ${request.url}`, headers: request.headers });
    handler(request, response);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  stopAfter(t, {
    stop: () =>
      new Promise(resolve => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  });
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

export interface TestRegistry extends WebServer {
  readonly cache: BlobCache;
  readonly registry: BuiltInRegistry;
}

/** The built-in registry on a port of its own. `before` may answer a request itself: then it gives true. */
export async function startRegistry(
  t: TestContext,
  before: (request: IncomingMessage, response: ServerResponse) => boolean = () => false,
  more: Partial<BuiltInRegistryOptions> = {},
): Promise<TestRegistry> {
  const cache = more.cache ?? (await makeCache(t));
  const registry = createBuiltInRegistry({
    cache,
    authorize: anybody,
    audit: NO_AUDIT,
    clock: systemClock,
    random,
    log: silentLog,
    ...more,
  });
  const web = await startWeb(t, (request, response) => {
    if (!before(request, response)) void registry.handle(request, response);
  });
  return { ...web, cache, registry };
}

/** Options that reach the given hosts on loopback and nothing else private. */
export function sourceOptions(
  hosts: readonly string[],
  more: Partial<ModuleSourceOptions> = {},
): ModuleSourceOptions {
  return {
    insecureRegistries: () => hosts,
    registries: [],
    allowPrivateHosts: [],
    meter: silentMeter,
    dockerConfigPath: undefined,
    moduleDirectory: undefined,
    clock: systemClock,
    timeLimits: SHORT_LIMITS,
    ...more,
  };
}

/** A module that Envoy would load, of its own digest for each comment. */
export function makeModule(comment: string): Uint8Array {
  return buildProxyWasm({
    comment,
    imports: [{ module: 'env', name: 'proxy_log', type: 'i32,i32,i32->i32' }],
    exports: [{ name: 'proxy_on_vm_start', type: 'i32,i32->i32' }],
  });
}
