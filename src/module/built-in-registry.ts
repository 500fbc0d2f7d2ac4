import type { IncomingMessage, ServerResponse } from 'node:http';
import { toMessage } from '../model/error.ts';
import type { Clock, Log, RandomHex } from '../model/ports.ts';
import type { BlobCache } from './blob-cache.ts';
import { ModuleError } from './module-error.ts';
import { RegistryIndex } from './registry-index.ts';
import { parsePushedManifest, toContentType } from './registry-manifest.ts';
import { sendCreated, sendError, sendJson, sendProgress } from './registry-reply.ts';
import { matchRegistryRoute } from './registry-route.ts';
import { RegistryUploads } from './registry-uploads.ts';
import { sendBlob } from './send-blob.ts';
import { isDigest, toDigest } from './verify-digest.ts';

export interface BuiltInRegistryOptions {
  /** Shared with the modules: one copy a digest. Tags are in its index.json. */
  readonly cache: BlobCache;
  readonly clock: Clock;
  readonly random: RandomHex;
  readonly log: Log;
}

/** Handles a request for `/v2/…` on a raw node:http pair; never rejects. */
export type RegistryHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

const MAX_MANIFEST_BYTES = 4 << 20;
const MAX_BLOB_BYTES = 256 << 20;

/**
 * The built-in registry: pull, push and tag lists of the OCI distribution specification; no deletion, no referrers,
 * no credentials. https://github.com/opencontainers/distribution-spec/blob/main/spec.md
 */
export function createBuiltInRegistry(options: BuiltInRegistryOptions): RegistryHandler {
  const registry = new Registry(options);
  return async (request, response) => {
    try {
      await registry.answer(request, response);
    } catch (error) {
      if (error instanceof ModuleError && error.code === 'wrong-digest')
        return sendError(response, 400, 'DIGEST_INVALID', error.message);
      if (error instanceof ModuleError && error.code === 'too-big')
        return sendError(response, 413, 'SIZE_INVALID', error.message);
      options.log.error({ error: toMessage(error), url: request.url }, 'registry request failed');
      sendError(response, 500, 'UNKNOWN', 'the registry could not do it; its log says why');
    }
  };
}

class Registry {
  readonly #cache: BlobCache;
  readonly #clock: Clock;
  readonly #index: RegistryIndex;
  readonly #uploads: RegistryUploads;

  constructor({ cache, clock, random }: BuiltInRegistryOptions) {
    this.#cache = cache;
    this.#clock = clock;
    this.#index = new RegistryIndex(cache.directory, random);
    this.#uploads = new RegistryUploads(cache, random, MAX_BLOB_BYTES);
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.setHeader('docker-distribution-api-version', 'registry/2.0');
    const url = new URL(`http://registry.invalid${request.url ?? '/'}`);
    const route = matchRegistryRoute(request.method ?? 'GET', url.pathname);
    switch (route.kind) {
      case 'base':
        return sendJson(response, 200, {});
      case 'get-manifest':
        return this.#getManifest(response, route.repository, route.reference, request.method === 'HEAD');
      case 'put-manifest':
        return this.#putManifest(request, response, route.repository, route.reference);
      case 'get-blob':
        return this.#getBlob(response, route.digest, request.method === 'HEAD');
      case 'list-tags':
        return this.#listTags(response, route.repository, url.searchParams);
      case 'start-upload':
        return this.#startUpload(request, response, route.repository, url.searchParams);
      case 'upload':
        return this.#continueUpload(request, response, route, url.searchParams);
      case 'refused':
        request.resume();
        return sendError(response, route.status, route.code, route.message);
      default:
        return route satisfies never;
    }
  }

  async #getManifest(
    response: ServerResponse,
    repository: string,
    reference: string,
    headOnly: boolean,
  ): Promise<void> {
    const entry = await this.#index.find(repository, reference);
    const bytes = entry && (await this.#cache.read(toHex(entry.digest), MAX_MANIFEST_BYTES));
    if (entry === undefined || bytes === undefined)
      return sendError(response, 404, 'MANIFEST_UNKNOWN', `${repository}: no manifest ${reference}`);
    response.writeHead(200, {
      'content-type': entry.mediaType,
      'content-length': bytes.length,
      'docker-content-digest': entry.digest,
      etag: `"${entry.digest}"`,
    });
    response.end(headOnly ? undefined : bytes);
  }

  async #putManifest(
    request: IncomingMessage,
    response: ServerResponse,
    repository: string,
    reference: string,
  ): Promise<void> {
    const bytes = await readBody(request, MAX_MANIFEST_BYTES);
    const digest = toDigest(bytes);
    if (reference.includes(':') && reference !== digest)
      return sendError(response, 400, 'DIGEST_INVALID', `the manifest is ${digest}, not ${reference}`);
    const manifest = parsePushedManifest(bytes, toContentType(request.headers['content-type']));
    if (typeof manifest === 'string') return sendError(response, 400, 'MANIFEST_INVALID', manifest);
    for (const blob of manifest.blobs)
      if (!(await this.#cache.has(toHex(blob))))
        return sendError(response, 404, 'MANIFEST_BLOB_UNKNOWN', `push blob ${blob} first`);
    for (const child of manifest.manifests)
      if ((await this.#index.find(repository, child)) === undefined)
        return sendError(response, 404, 'MANIFEST_BLOB_UNKNOWN', `push manifest ${child} first`);
    await this.#cache.write([bytes], { maxBytes: MAX_MANIFEST_BYTES });
    await this.#index.put({
      repository,
      ...(reference.includes(':') ? {} : { tag: reference }),
      mediaType: manifest.mediaType,
      digest,
      sizeBytes: bytes.length,
    });
    response.writeHead(201, {
      location: `/v2/${repository}/manifests/${digest}`,
      'docker-content-digest': digest,
      'content-length': 0,
    });
    response.end();
  }

  async #getBlob(response: ServerResponse, digest: string, headOnly: boolean): Promise<void> {
    const blob = await this.#cache.open(toHex(digest));
    if (blob === undefined) return sendError(response, 404, 'BLOB_UNKNOWN', `no blob ${digest}`);
    try {
      response.writeHead(200, {
        'content-type': 'application/octet-stream',
        'content-length': blob.sizeBytes,
        'docker-content-digest': digest,
        etag: `"${digest}"`,
        'x-content-type-options': 'nosniff',
      });
      if (headOnly) response.end();
      else await sendBlob(response, blob, this.#clock);
    } finally {
      await blob.file.close();
    }
  }

  async #listTags(response: ServerResponse, repository: string, query: URLSearchParams): Promise<void> {
    const tags = await this.#index.tags(repository);
    if (tags === undefined) return sendError(response, 404, 'NAME_UNKNOWN', `no repository ${repository}`);
    const last = query.get('last') ?? '';
    const limit = /^\d{1,6}$/.test(query.get('n') ?? '') ? Number(query.get('n')) : tags.length;
    const rest = tags.filter(tag => tag > last);
    const page = rest.slice(0, limit);
    const end = page.at(-1);
    if (end !== undefined && page.length < rest.length)
      response.setHeader('link', `</v2/${repository}/tags/list?n=${limit}&last=${end}>; rel="next"`);
    sendJson(response, 200, { name: repository, tags: page });
  }

  async #startUpload(
    request: IncomingMessage,
    response: ServerResponse,
    repository: string,
    query: URLSearchParams,
  ): Promise<void> {
    const mounted = query.get('mount');
    if (mounted !== null && isDigest(mounted) && (await this.#cache.has(toHex(mounted)))) {
      request.resume();
      return sendCreated(response, repository, mounted);
    }
    const id = await this.#uploads.start();
    const digest = query.get('digest');
    if (digest !== null) return this.#finishUpload(request, response, repository, id, digest);
    request.resume();
    sendProgress(response, repository, id, 0);
  }

  async #continueUpload(
    request: IncomingMessage,
    response: ServerResponse,
    { repository, id }: { readonly repository: string; readonly id: string },
    query: URLSearchParams,
  ): Promise<void> {
    if (!this.#uploads.has(id)) {
      request.resume();
      return sendError(response, 404, 'BLOB_UPLOAD_UNKNOWN', 'no such upload, or it was given up');
    }
    switch (request.method) {
      case 'PATCH': {
        const sizeBytes = await this.#uploads.sizeBytes(id);
        const start = /^(\d+)-/.exec(request.headers['content-range'] ?? '')?.[1];
        if (start !== undefined && Number(start) !== sizeBytes) {
          request.resume();
          return sendProgress(response, repository, id, sizeBytes, 416);
        }
        return sendProgress(response, repository, id, await this.#uploads.append(id, request));
      }
      case 'PUT':
        return this.#finishUpload(request, response, repository, id, query.get('digest') ?? '');
      case 'DELETE':
        await this.#uploads.cancel(id);
        response.writeHead(204).end();
        return;
      default:
        return sendProgress(response, repository, id, await this.#uploads.sizeBytes(id), 204);
    }
  }

  async #finishUpload(
    request: IncomingMessage,
    response: ServerResponse,
    repository: string,
    id: string,
    digest: string,
  ): Promise<void> {
    if (!isDigest(digest) || !digest.startsWith('sha256:')) {
      request.resume();
      await this.#uploads.cancel(id);
      return sendError(response, 400, 'DIGEST_INVALID', 'digest=sha256:<64 hexadecimal digits> is missing');
    }
    await this.#uploads.append(id, request);
    await this.#uploads.finish(id, toHex(digest));
    sendCreated(response, repository, digest);
  }
}

/** The cache knows sha256 alone; any other digest is simply not there. */
function toHex(digest: string): string {
  return digest.startsWith('sha256:') ? digest.slice('sha256:'.length) : '';
}

async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    if (sizeBytes > maxBytes) throw new ModuleError('too-big', `a manifest has more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
