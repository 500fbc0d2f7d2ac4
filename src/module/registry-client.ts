import type { OciReference } from '../model/module-reference.ts';
import type { Clock } from '../model/ports.ts';
import type { RegistrySettings } from '../model/registry-settings.ts';
import { askEndpoints, type EndpointResponse } from './ask-endpoints.ts';
import { createHttpClient, TIME_LIMITS, type TimeLimits } from './http-client.ts';
import type { Descriptor } from './manifest.ts';
import { MANIFEST_TYPES } from './media-types.ts';
import type { ModuleError } from './module-error.ts';
import { readBounded } from './read-bounded.ts';
import { RegistryAuth } from './registry-auth.ts';
import type { HostToken, PullCredentials } from './registry-credentials.ts';
import { HostMemory, listEndpoints, toEndpointName } from './registry-endpoints.ts';
import { createSender } from './registry-sender.ts';
import { toResponseError } from './response-error.ts';
import { withTimeLimit } from './time-limit.ts';
import type { OnTransfer } from './transfer.ts';
import { createDigest, type Digest, isDigest, toDigest, verifyDigest, wrongDigest } from './verify-digest.ts';

export interface RegistryOptions {
  /** `HOST:PORT` that are spoken to over plain HTTP, and may be private. The built-in registry is one. */
  readonly insecureRegistries: () => readonly string[];
  /** Mirrors, plain HTTP and CAs. */
  readonly registries: RegistrySettings;
  /** Hosts that may have a private address; `*`: any. */
  readonly allowPrivateHosts: readonly string[];
  /** A docker config.json; it need not exist. */
  readonly dockerConfigPath: string | undefined;
  /** What one host takes as a password, whatever the config has for it; absent: nothing. */
  readonly token?: HostToken;
  readonly clock: Pick<Clock, 'now'>;
  readonly timeLimits?: TimeLimits;
  /** Told of large bodies as they go and come. */
  readonly onTransfer?: OnTransfer;
}

/** A repository of a registry. */
export type Repository = Pick<OciReference, 'host' | 'repository'>;

/** A manifest or index as received; the digest was computed from the bytes. */
export interface ReceivedManifest {
  readonly bytes: Buffer;
  readonly contentType: string;
  /** `sha256:<hex>`, or the digest that was asked for. */
  readonly digest: string;
  /** The mirror that gave it, `HOST/REPOSITORY`; undefined: the registry itself. */
  readonly mirror: string | undefined;
  /** What was asked before it in vain, and why. */
  readonly passedOver: readonly string[];
}

/** What a tag names now. */
export type FoundTag = Pick<ReceivedManifest, 'digest' | 'mirror'>;

export interface RegistryRequest {
  readonly repository: Repository;
  /** Behind `/v2/NAME/`, or a URL of the same registry. */
  readonly path: string | URL;
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PUT';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  readonly actions?: 'pull' | 'pull,push';
  /** Of the mirrors and the registry this one alone, if it is one of them: `HOST/REPOSITORY`. */
  readonly only?: string;
  readonly signal: AbortSignal;
}

/** Throws ModuleError; see response-error.ts and http-client.ts for the codes. */
export interface RegistryClient {
  /** By tag or digest. What was asked for by digest hashes to it, else `wrong-digest`. */
  getManifest(repository: Repository, tagOrDigest: string, signal: AbortSignal): Promise<ReceivedManifest>;
  /** The digest that a tag names, with a HEAD where the registry tells it that way, which costs no pull. */
  findTag(
    repository: Repository,
    tag: string,
    /** Who is asked alone: `HOST/REPOSITORY`, or with undefined the registry itself; anybody if it is not configured. */
    mirror: string | undefined,
    signal: AbortSignal,
  ): Promise<FoundTag>;
  /** The bytes of a blob; throws `wrong-digest` at the end unless size and digest are the descriptor's. */
  getBlob(repository: Repository, descriptor: Descriptor, signal: AbortSignal): AsyncIterable<Uint8Array>;
  /** The same, but only the size is compared: for a receiver that hashes what it gets and compares the digest itself. */
  receiveBlob(repository: Repository, descriptor: Descriptor, signal: AbortSignal): AsyncIterable<Uint8Array>;
  /**
   * Any answer but 401, which is answered with credentials once. What only reads is asked of the mirrors first, and the
   * first that has it answers.
   */
  send(request: RegistryRequest): Promise<EndpointResponse>;
  /** The same client with credentials that go before those of the server; they go to the hosts they are for alone. */
  as(credentials: PullCredentials | undefined): RegistryClient;
  close(): Promise<void>;
}

const MAX_MANIFEST_BYTES = 4 << 20;
const ACCEPT = { accept: MANIFEST_TYPES.join(', ') };

/** A client of the OCI distribution API. https://github.com/opencontainers/distribution-spec/blob/main/spec.md */
export function createRegistryClient(options: RegistryOptions): RegistryClient {
  const limits = options.timeLimits ?? TIME_LIMITS;
  const http = createHttpClient(limits, options.onTransfer);
  const memory = new HostMemory(options.clock);
  const sendTo = createSender(http, new RegistryAuth(http, options.clock), options);

  const make = (credentials: PullCredentials | undefined): RegistryClient => {
    const send: RegistryClient['send'] = ({ repository, ...request }) => {
      const all = listEndpoints(options.registries, repository);
      const chosen = all.filter(endpoint => toEndpointName(endpoint) === request.only);
      const own = all.filter(({ isMirror }) => !isMirror);
      const endpoints = !isForMirrors(request) ? own : chosen.length > 0 ? chosen : all;
      const ask = (endpoint: Repository, signal: AbortSignal) =>
        sendTo(endpoint, { ...request, signal }, credentials);
      return askEndpoints(endpoints, { memory, mirrorMs: limits.mirrorMs, send: ask }, request.signal);
    };
    const limited = <T>(
      { host }: Repository,
      signal: AbortSignal,
      job: (signal: AbortSignal) => Promise<T>,
    ) => withTimeLimit(limits.answerMs, host, signal, job);
    return {
      send,
      getManifest: (repository, reference, signal) =>
        limited(repository, signal, inTime => getManifest(send, repository, reference, inTime)),
      findTag: (repository, tag, mirror, signal) => {
        const only = mirror ?? toEndpointName(repository);
        const sendOnly: Send = request => send({ ...request, only });
        return limited(repository, signal, inTime => findTag(sendOnly, repository, tag, inTime));
      },
      getBlob: (repository, descriptor, signal) =>
        receiveBlob({ send, memory }, repository, descriptor, createDigest(descriptor), signal),
      receiveBlob: (repository, descriptor, signal) =>
        receiveBlob({ send, memory }, repository, descriptor, undefined, signal),
      as: make,
      close: () => http.close(),
    };
  };
  return make(undefined);
}

/** What changes something is for the registry itself. */
function isForMirrors({
  method = 'GET',
  path,
  actions = 'pull',
}: Omit<RegistryRequest, 'repository'>): boolean {
  return (method === 'GET' || method === 'HEAD') && actions === 'pull' && !(path instanceof URL);
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
  const response = await send({ repository, path: `manifests/${reference}`, headers: ACCEPT, signal });
  if (response.status !== 200) throw await toError(response, what);
  const bytes = await readBounded(response.body, MAX_MANIFEST_BYTES, `the manifest of ${what}`);
  if (byDigest) verifyDigest(bytes, reference, `manifest of ${what}`);
  const contentType = String(response.headers['content-type'] ?? '');
  return {
    bytes,
    contentType: contentType.split(';')[0]?.trim() ?? '',
    digest: byDigest ? reference : toDigest(bytes),
    ...toOrigin(response),
  };
}

/** Registries that know no HEAD, or tell no digest with it, are asked for the manifest. */
async function findTag(
  send: Send,
  repository: Repository,
  tag: string,
  signal: AbortSignal,
): Promise<FoundTag> {
  const response = await send({
    repository,
    path: `manifests/${tag}`,
    method: 'HEAD',
    headers: ACCEPT,
    signal,
  });
  const digest = response.headers['docker-content-digest'];
  const mayLackHead = [200, 404, 405].includes(response.status);
  if (!mayLackHead) throw await toError(response, `${repository.host}/${repository.repository}:${tag}`);
  response.drop();
  if (response.status === 200 && typeof digest === 'string' && isDigest(digest))
    return { digest, mirror: toOrigin(response).mirror };
  const { digest: found, mirror } = await getManifest(send, repository, tag, signal);
  return { digest: found, mirror };
}

function toOrigin({ endpoint, passedOver }: EndpointResponse) {
  return { mirror: endpoint.isMirror ? toEndpointName(endpoint) : undefined, passedOver };
}

function toError(response: EndpointResponse, what: string): Promise<ModuleError> {
  const { passedOver } = response;
  return toResponseError(response, passedOver.length === 0 ? what : `${what} (${passedOver.join('; ')})`);
}

async function* receiveBlob(
  { send, memory }: { readonly send: Send; readonly memory: HostMemory },
  repository: Repository,
  { digest, sizeBytes }: Descriptor,
  hash: Digest | undefined,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const response = await send({ repository, path: `blobs/${digest}`, signal });
  const what = `blob ${digest} of ${toEndpointName(response.endpoint)}`;
  if (response.status !== 200) throw await toError(response, what);
  let received = 0;
  const chunks = shunWhenCut(response, memory, signal);
  for await (const chunk of chunks) {
    received += chunk.length;
    // More than announced can only be wrong: no need to take it all.
    if (received > sizeBytes) throw wrongDigest(what, `${sizeBytes} bytes`, 'more');
    hash?.update(chunk);
    yield chunk;
  }
  if (received !== sizeBytes) throw wrongDigest(what, `${sizeBytes} bytes`, `${received} bytes`);
  const found = hash?.read() ?? digest;
  if (found !== digest) throw wrongDigest(what, digest, found);
}

/** A place that breaks off is asked last when it is tried again. */
async function* shunWhenCut(
  { body, endpoint }: EndpointResponse,
  memory: HostMemory,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    if (!signal.aborted) memory.shun(endpoint.host);
    throw error;
  }
}
