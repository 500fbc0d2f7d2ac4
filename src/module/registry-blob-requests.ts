import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../model/ports.ts';
import type { BlobCache, OpenBlob } from './blob-cache.ts';
import { parseByteRange } from './byte-range.ts';
import { ModuleError } from './module-error.ts';
import { blobUnknown, type RegistryContent } from './registry-content.ts';
import { RegistryRefusal } from './registry-refusal.ts';
import { type Exchange, readChunks, sendBlobCreated, sendEmpty, toProgress } from './registry-reply.ts';
import { type RegistryUploads, type Upload, uploadUnknown } from './registry-uploads.ts';
import { sendBlob } from './send-blob.ts';
import { isDigest } from './verify-digest.ts';

export const MAX_BLOB_BYTES = 256 << 20;

/** Blobs of the built-in registry: pulled, pushed in one request, in two, in chunks or as a stream, mounted, deleted. */
export class BlobRequests {
  readonly #cache: BlobCache;
  readonly #content: RegistryContent;
  readonly #uploads: RegistryUploads;
  readonly #clock: Clock;

  constructor(cache: BlobCache, content: RegistryContent, uploads: RegistryUploads, clock: Clock) {
    this.#cache = cache;
    this.#content = content;
    this.#uploads = uploads;
    this.#clock = clock;
  }

  /** GET and HEAD, whole or one range. */
  async get({ request, response }: Exchange, repository: string, digest: string): Promise<void> {
    const blob = await this.#open(repository, digest);
    try {
      const { headers } = request;
      const etag = `"${digest}"`;
      const common = { etag, 'docker-content-digest': digest, 'accept-ranges': 'bytes' };
      if (headers['if-none-match'] === etag) return void response.writeHead(304, common).end();
      const isSame = headers['if-range'] === undefined || headers['if-range'] === etag;
      const range = isSame ? parseByteRange(headers.range, blob.sizeBytes) : undefined;
      if (range === 'unsatisfiable')
        throw new RegistryRefusal(416, 'SIZE_INVALID', `the blob has ${blob.sizeBytes} bytes`, {
          'content-range': `bytes */${blob.sizeBytes}`,
        });
      const partial =
        range === undefined ? {} : { 'content-range': `bytes ${range.from}-${range.to}/${blob.sizeBytes}` };
      response.writeHead(range === undefined ? 200 : 206, {
        ...common,
        ...partial,
        'content-type': 'application/octet-stream',
        'content-length': range === undefined ? blob.sizeBytes : range.to - range.from + 1,
        'cache-control': 'private, max-age=31536000, immutable',
      });
      if (request.method === 'HEAD') response.end();
      else await sendBlob(response, blob, this.#clock, range);
    } finally {
      await blob.file.close();
    }
  }

  async delete({ response, audit }: Exchange, repository: string, digest: string): Promise<void> {
    await this.#content.deleteBlob(repository, digest);
    const name = `${repository}@${digest}`;
    await audit('registry.deleted', name, `${name} deleted`);
    sendEmpty(response, 202);
  }

  /** POST: opens an upload; with `digest` the body is the blob, with `mount` it comes from another repository. */
  async start({ request, response, query }: Exchange, repository: string): Promise<void> {
    const mounted = query.get('mount');
    if (mounted !== null && (await this.#canMount(mounted, query.get('from')))) {
      await this.#content.addBlob(repository, mounted);
      return sendBlobCreated(response, repository, mounted);
    }
    const algorithm = query.get('digest-algorithm') ?? 'sha256';
    if (algorithm !== 'sha256' && algorithm !== 'sha512')
      throw new RegistryRefusal(400, 'DIGEST_INVALID', 'digest-algorithm is sha256 or sha512');
    const upload = await this.#uploads.start(repository);
    if (query.get('digest') === null) return sendEmpty(response, 202, toProgress(repository, upload));
    try {
      checkChunk(request, upload);
      await this.#finish(request, response, upload, query);
    } catch (error) {
      // The client was never told where to go on.
      await this.#uploads.cancel(upload.id);
      throw error;
    }
  }

  /** What comes after the POST: PATCH for a chunk or a stream, PUT to end it, GET where it is, DELETE to give it up. */
  async goOn({ request, response, query }: Exchange, repository: string, id: string): Promise<void> {
    const upload = this.#uploads.find(repository, id);
    if (upload === undefined) throw uploadUnknown();
    switch (request.method) {
      case 'PATCH':
        checkChunk(request, upload);
        await this.#uploads.append(upload, readChunks(request));
        return sendEmpty(response, 202, toProgress(repository, upload));
      case 'PUT':
        checkChunk(request, upload);
        return this.#finish(request, response, upload, query);
      case 'DELETE':
        await this.#uploads.cancel(id);
        return sendEmpty(response, 204);
      default:
        return sendEmpty(response, 204, toProgress(repository, upload));
    }
  }

  async #finish(
    request: IncomingMessage,
    response: ServerResponse,
    upload: Upload,
    query: URLSearchParams,
  ): Promise<void> {
    const digest = query.get('digest') ?? '';
    if (!isDigest(digest))
      throw new RegistryRefusal(400, 'DIGEST_INVALID', 'digest=sha256:… or sha512:… is missing or malformed');
    await this.#uploads.finish(upload, readChunks(request), bytes =>
      this.#content.digests.write(bytes, digest, MAX_BLOB_BYTES),
    );
    await this.#content.addBlob(upload.repository, digest);
    sendBlobCreated(response, upload.repository, digest);
  }

  async #open(repository: string, digest: string): Promise<OpenBlob> {
    const held = await this.#content.holdsBlob(repository, digest);
    const sha256 = held ? await this.#content.digests.find(digest) : undefined;
    const blob = sha256 === undefined ? undefined : await this.#cache.open(sha256);
    if (blob === undefined) throw blobUnknown(repository, digest);
    return blob;
  }

  /** Not what only the module cache has: it may have come from a registry that this client cannot read. */
  async #canMount(digest: string, from: string | null): Promise<boolean> {
    return (await this.#content.isHeldAnywhere(digest, from)) && this.#content.digests.has(digest);
  }
}

/** Chunks come in order; one that says no range is taken as it comes. */
function checkChunk({ headers }: IncomingMessage, upload: Upload): void {
  const length = Number(headers['content-length'] ?? Number.NaN);
  if (upload.sizeBytes + (length || 0) > MAX_BLOB_BYTES)
    throw new ModuleError('too-big', `a blob has more than ${MAX_BLOB_BYTES} bytes`);
  const text = headers['content-range'];
  if (text === undefined) return;
  const [, first, last] = /^(?:bytes[ =])?(\d{1,15})-(\d{1,15})(?:\/.*)?$/.exec(text) ?? [];
  if (first === undefined || Number(first) !== upload.sizeBytes)
    throw new RegistryRefusal(
      416,
      'BLOB_UPLOAD_INVALID',
      `the next byte is ${upload.sizeBytes}`,
      toProgress(upload.repository, upload),
    );
  if (!Number.isNaN(length) && Number(last) - Number(first) + 1 !== length)
    throw new RegistryRefusal(400, 'SIZE_INVALID', `Content-Range ${text} is not ${length} bytes`);
}
