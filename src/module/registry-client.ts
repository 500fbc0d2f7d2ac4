import { createHash } from 'node:crypto';
import { DEFAULT_REGISTRY, type OciReference } from '../model/module-reference.ts';
import type { Clock } from '../model/ports.ts';
import { isListed } from './address-policy.ts';
import { readCredential } from './docker-config.ts';
import { createHttpClient, type HttpResponse, type TimeLimits } from './http-client.ts';
import type { Descriptor } from './manifest.ts';
import { MANIFEST_TYPES } from './media-types.ts';
import { ModuleError } from './module-error.ts';
import { readBounded } from './read-bounded.ts';
import { type AuthRequest, RegistryAuth, refusedCredential } from './registry-auth.ts';
import { toResponseError } from './response-error.ts';
import { toDigest, verifyDigest, wrongDigest } from './verify-digest.ts';

export interface RegistryOptions {
  /** `HOST:PORT` that are spoken to over plain HTTP, and may be private. The built-in registry is one. */
  readonly insecureRegistries: () => readonly string[];
  /** Hosts that may have a private address; `*`: any. */
  readonly allowPrivateHosts: readonly string[];
  /** A docker config.json; it need not exist. */
  readonly dockerConfigPath: string | undefined;
  readonly clock: Pick<Clock, 'now'>;
  readonly timeLimits?: TimeLimits;
}

/** A repository of a registry. */
export type Repository = Pick<OciReference, 'host' | 'repository'>;

/** A manifest or index as received; the digest was computed from the bytes. */
export interface ReceivedManifest {
  readonly bytes: Buffer;
  readonly contentType: string;
  /** `sha256:<hex>`, or the digest that was asked for. */
  readonly digest: string;
}

export interface RegistryRequest {
  readonly repository: Repository;
  /** Behind `/v2/NAME/`, or a URL of the same registry. */
  readonly path: string | URL;
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PUT';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  readonly actions?: 'pull' | 'pull,push';
  readonly signal: AbortSignal;
}

/** Throws ModuleError; see response-error.ts and http-client.ts for the codes. */
export interface RegistryClient {
  /** By tag or digest. What was asked for by digest hashes to it, else `wrong-digest`. */
  getManifest(repository: Repository, tagOrDigest: string, signal: AbortSignal): Promise<ReceivedManifest>;
  /** The bytes of a blob; throws `wrong-digest` at the end unless size and digest are the descriptor's. */
  getBlob(repository: Repository, descriptor: Descriptor, signal: AbortSignal): AsyncIterable<Uint8Array>;
  /** Any answer but 401, which is answered with credentials once. */
  send(request: RegistryRequest): Promise<HttpResponse>;
  close(): Promise<void>;
}

const MAX_MANIFEST_BYTES = 4 << 20;

/** A client of the OCI distribution API. https://github.com/opencontainers/distribution-spec/blob/main/spec.md */
export function createRegistryClient(options: RegistryOptions): RegistryClient {
  const http = createHttpClient(options.timeLimits);
  const auth = new RegistryAuth(http, options.clock);
  const isPlain = (url: URL) => isListed(url, options.insecureRegistries());
  const mayBePrivate = (url: URL) => isPlain(url) || isListed(url, options.allowPrivateHosts);
  const check = (url: URL) => {
    if (url.protocol === 'https:' || isPlain(url)) return;
    throw new ModuleError('redirect-refused', `${url.host} would be spoken to over plain HTTP`, {
      hint: `If that is meant, start the server with --insecure-registry ${url.host}.`,
    });
  };

  async function send(request: RegistryRequest): Promise<HttpResponse> {
    const { repository, signal, actions = 'pull' } = request;
    const authRequest: AuthRequest = {
      registry: repository.host,
      scope: `repository:${repository.repository}:${actions}`,
      credential: await readCredential(options.dockerConfigPath, repository.host, repository.repository),
      // A token service of a registry on plain HTTP may be beside it, on another port.
      checkRealm: url => checkRealm(url, registryUrl(repository, isPlain), check),
      mayBePrivate: url => mayBePrivate(url) || isBeside(url, registryUrl(repository, isPlain), mayBePrivate),
      signal,
    };
    const attempt = (authorization: string | undefined) =>
      http.send({
        method: request.method ?? 'GET',
        url: toUrl(request, isPlain),
        headers: { ...request.headers, ...(authorization === undefined ? {} : { authorization }) },
        ...(request.body === undefined ? {} : { body: request.body }),
        check,
        mayBePrivate,
        signal,
      });
    const response = await attempt(auth.known(authRequest));
    if (response.status !== 401) return response;
    response.drop();
    const authorization = await auth.answer(response.headers['www-authenticate'], authRequest);
    if (authorization === undefined) throw refusedCredential(authRequest);
    const second = await attempt(authorization);
    if (second.status !== 401) return second;
    second.drop();
    throw refusedCredential(authRequest);
  }

  return {
    send,
    getManifest: (repository, reference, signal) => getManifest(send, repository, reference, signal),
    getBlob: (repository, descriptor, signal) => getBlob(send, repository, descriptor, signal),
    close: () => http.close(),
  };
}

type Send = RegistryClient['send'];

async function getManifest(
  send: Send,
  repository: Repository,
  reference: string,
  signal: AbortSignal,
): Promise<ReceivedManifest> {
  const byDigest = reference.includes(':');
  const what = `${repository.host}/${repository.repository}${byDigest ? '@' : ':'}${reference}`;
  const headers = { accept: MANIFEST_TYPES.join(', ') };
  const response = await send({ repository, path: `manifests/${reference}`, headers, signal });
  if (response.status !== 200) throw await toResponseError(response, what);
  const bytes = await readBounded(response.body, MAX_MANIFEST_BYTES, `the manifest of ${what}`);
  if (byDigest) verifyDigest(bytes, reference, `manifest of ${what}`);
  const contentType = String(response.headers['content-type'] ?? '');
  return {
    bytes,
    contentType: contentType.split(';')[0]?.trim() ?? '',
    digest: byDigest ? reference : toDigest(bytes),
  };
}

async function* getBlob(
  send: Send,
  repository: Repository,
  { digest, sizeBytes }: Descriptor,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const what = `blob ${digest} of ${repository.host}/${repository.repository}`;
  const response = await send({ repository, path: `blobs/${digest}`, signal });
  if (response.status !== 200) throw await toResponseError(response, what);
  const algorithm = digest.slice(0, digest.indexOf(':'));
  const hash = createHash(algorithm);
  let received = 0;
  for await (const chunk of response.body) {
    received += chunk.length;
    // More than announced can only be wrong: no need to take it all.
    if (received > sizeBytes) throw wrongDigest(what, `${sizeBytes} bytes`, 'more');
    hash.update(chunk);
    yield chunk;
  }
  if (received !== sizeBytes) throw wrongDigest(what, `${sizeBytes} bytes`, `${received} bytes`);
  const found = `${algorithm}:${hash.digest('hex')}`;
  if (found !== digest) throw wrongDigest(what, digest, found);
}

function toUrl(request: RegistryRequest, isPlain: (url: URL) => boolean): URL {
  if (request.path instanceof URL) return request.path;
  return new URL(
    `/v2/${request.repository.repository}/${request.path}`,
    registryUrl(request.repository, isPlain),
  );
}

/** The default registry answers under another name than it is written with. */
function registryUrl({ host }: Repository, isPlain: (url: URL) => boolean): URL {
  const plain = new URL(`http://${host}`);
  if (isPlain(plain)) return plain;
  return new URL(`https://${host === DEFAULT_REGISTRY ? `registry-1.${DEFAULT_REGISTRY}` : host}`);
}

function checkRealm(realm: URL, registry: URL, check: (url: URL) => void): void {
  if (realm.protocol === 'http:' && registry.protocol === 'http:' && realm.hostname === registry.hostname)
    return;
  check(realm);
}

function isBeside(url: URL, registry: URL, mayBePrivate: (url: URL) => boolean): boolean {
  return url.hostname === registry.hostname && mayBePrivate(registry);
}
