import type { IncomingMessage, ServerResponse } from 'node:http';
import type { SearchCatalogue } from '../model/catalogue.ts';
import { toMessage } from '../model/error.ts';
import type { Clock, Log, RandomHex } from '../model/ports.ts';
import type { BlobCache } from './blob-cache.ts';
import { ModuleError } from './module-error.ts';
import type { Authorize } from './publish-right.ts';
import type { RegistryAudit } from './registry-audit.ts';
import { BlobRequests, MAX_BLOB_BYTES } from './registry-blob-requests.ts';
import { searchCatalogue } from './registry-catalogue.ts';
import { RegistryContent, type RegistryHoldings } from './registry-content.ts';
import { listRepositories, listTags } from './registry-list-requests.ts';
import { ManifestRequests } from './registry-manifest-requests.ts';
import { RegistryRefusal } from './registry-refusal.ts';
import { type Exchange, sendError, sendJson } from './registry-reply.ts';
import { matchRegistryRoute, type RegistryRoute } from './registry-route.ts';
import { RegistryUploads } from './registry-uploads.ts';

export interface BuiltInRegistryOptions {
  /** Shared with the modules: one copy a digest. Manifests and tags are in its index.json. */
  readonly cache: BlobCache;
  readonly clock: Clock;
  readonly random: RandomHex;
  readonly log: Log;
  readonly authorize: Authorize;
  readonly audit: RegistryAudit;
}

export interface BuiltInRegistry {
  /** Answers a request for `/v2/…` on a raw node:http pair; never rejects. */
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
  readonly searchCatalogue: SearchCatalogue;
  /** What the blob cache must not collect, or must not unless it needs room. */
  held(): Promise<RegistryHoldings>;
}

/**
 * The built-in registry: pull, push, content discovery and content management of the OCI distribution specification.
 * https://github.com/opencontainers/distribution-spec/blob/main/spec.md
 */
export function createBuiltInRegistry(options: BuiltInRegistryOptions): BuiltInRegistry {
  const { cache, clock, random, log, audit } = options;
  const content = new RegistryContent(cache, random, clock);
  const uploads = new RegistryUploads(cache.directory, cache.quota, random, clock, MAX_BLOB_BYTES);
  const parts: Parts = {
    content,
    blobs: new BlobRequests(cache, content, uploads, clock),
    manifests: new ManifestRequests(cache, content),
  };
  return {
    async handle(request, response) {
      try {
        const url = new URL(`http://registry.invalid${request.url ?? '/'}`);
        const route = matchRegistryRoute(request.method ?? 'GET', url.pathname);
        response.setHeader('docker-distribution-api-version', 'registry/2.0');
        response.setHeader('x-content-type-options', 'nosniff');
        const by = { who: await identify(options, request, route), address: addressOf(request) };
        await answer(parts, route, {
          request,
          response,
          query: url.searchParams,
          audit: (action, subject, text) => audit.changed(by, action, subject, `${text} by ${by.who}`),
        });
      } catch (error) {
        answerFault(error, request, response, log);
      } finally {
        // What nobody read would stand in the way of the next request.
        request.resume();
      }
    },
    searchCatalogue: query => searchCatalogue(content, query),
    held: () => content.held(),
  };
}

/** Throws RegistryRefusal. Whoever showed something that does not count is told of; clients that only ask are not. */
async function identify(
  { authorize, audit }: BuiltInRegistryOptions,
  request: IncomingMessage,
  route: RegistryRoute,
): Promise<string> {
  try {
    return await authorize(request, route);
  } catch (error) {
    const isMeant = 'repository' in route && route.right !== 'pull';
    if (isMeant && error instanceof RegistryRefusal && request.headers.authorization !== undefined)
      await audit.denied({ who: 'unknown', address: addressOf(request) }, route.repository, error);
    throw error;
  }
}

function addressOf({ socket }: IncomingMessage): string {
  return socket.remoteAddress ?? '';
}

interface Parts {
  readonly content: RegistryContent;
  readonly blobs: BlobRequests;
  readonly manifests: ManifestRequests;
}

async function answer(
  { content, blobs, manifests }: Parts,
  route: RegistryRoute,
  exchange: Exchange,
): Promise<void> {
  switch (route.kind) {
    case 'base':
      return sendJson(exchange.response, 200, {});
    case 'list-repositories':
      return listRepositories(content, exchange);
    case 'list-tags':
      return listTags(content, exchange, route.repository);
    case 'list-referrers':
      return manifests.listReferrers(exchange, route.repository, route.digest);
    case 'get-manifest':
      return manifests.get(exchange, route.repository, route.reference);
    case 'put-manifest':
      return manifests.put(exchange, route.repository, route.reference);
    case 'delete-manifest':
      return manifests.delete(exchange, route.repository, route.reference);
    case 'get-blob':
      return blobs.get(exchange, route.repository, route.digest);
    case 'delete-blob':
      return blobs.delete(exchange, route.repository, route.digest);
    case 'start-upload':
      return blobs.start(exchange, route.repository);
    case 'upload':
      return blobs.goOn(exchange, route.repository, route.id);
    case 'refused':
      throw new RegistryRefusal(route.status, route.code, route.message);
    default:
      return route satisfies never;
  }
}

function answerFault(error: unknown, request: IncomingMessage, response: ServerResponse, log: Log): void {
  const refusal = toRefusal(error);
  if (refusal !== undefined) {
    sendError(response, refusal);
    return;
  }
  // A client that went away in the middle of its upload is no fault of ours.
  if (request.destroyed && !request.complete) {
    response.destroy();
    return;
  }
  log.error({ error: toMessage(error), url: request.url }, 'registry request failed');
  const message = 'the registry could not do it; its log says why';
  sendError(response, new RegistryRefusal(500, 'UNKNOWN', message));
}

function toRefusal(error: unknown): RegistryRefusal | undefined {
  if (error instanceof RegistryRefusal) return error;
  if (!(error instanceof ModuleError)) return undefined;
  if (error.code === 'wrong-digest') return new RegistryRefusal(400, 'DIGEST_INVALID', error.message);
  if (error.code === 'too-big') return new RegistryRefusal(413, 'SIZE_INVALID', error.message);
  // As Harbor does; clients take a 5xx for something to try again at once.
  if (error.code === 'cache-full')
    return new RegistryRefusal(403, 'DENIED', `${error.message}. ${error.hint}`);
  return undefined;
}
