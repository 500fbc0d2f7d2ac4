import { createReadStream } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { sep } from 'node:path';
import { isListed } from '../model/address-policy.ts';
import { toMessage } from '../model/error.ts';
import type { Meter } from '../model/meter.ts';
import {
  type FileReference,
  type HttpReference,
  ModuleReferenceError,
  parseModuleReference,
} from '../model/module-reference.ts';
import type { ModuleSignature } from '../model/module-signature.ts';
import { NO_SIGNATURE_POLICY, type SignaturePolicy } from '../model/signature-policy.ts';
import type { BlobCache } from './blob-cache.ts';
import { MAX_MODULE_BYTES } from './check-module.ts';
import { createHttpClient } from './http-client.ts';
import { keepModule, lostFromCache } from './keep-module.ts';
import { ModuleError } from './module-error.ts';
import { bringFromRegistry } from './oci-source.ts';
import { createRegistryClient, type FoundTag, type RegistryOptions } from './registry-client.ts';
import type { PullCredentials } from './registry-credentials.ts';
import { toResponseError } from './response-error.ts';
import type { SignedDigests } from './signature/check-signature.ts';
import {
  createSignatureChecker,
  requireSignature,
  type SignatureChecker,
} from './signature/signature-checker.ts';
import { type UnpackedModule, unpackModule } from './unpack.ts';
import { verifyDigest } from './verify-digest.ts';

export interface ModuleSourceOptions extends RegistryOptions {
  /** `file://` modules must lie below it; undefined: `file://` is refused. */
  readonly moduleDirectory: string | undefined;
  /** Whose signatures are asked for; none by default. */
  readonly signatures?: SignaturePolicy;
  readonly meter: Meter;
}

/** A module from its source, in the cache: digests verified, contents not checked yet. */
export interface BroughtModule {
  /** Hex. */
  readonly sha256: string;
  readonly sizeBytes: number;
  /** Which rule found it: an OCI layout, `plain`, `archive`. */
  readonly layout: string;
  /** OCI: what the reference named (index or manifest), and the manifest chosen. */
  readonly referenceDigest?: string;
  readonly manifestDigest?: string;
  /** The mirror that gave the manifest; absent: the registry itself. */
  readonly mirror?: string;
  /** Places that were asked in vain before, and why. */
  readonly passedOver?: readonly string[];
  /** Absent: nothing was asked. */
  readonly signature?: ModuleSignature;
}

/** The same, and its bytes. */
export interface FetchedModule extends BroughtModule {
  readonly bytes: Buffer;
}

/** `sha256` is hex. */
export interface WantedModule {
  readonly url: string;
  readonly sha256?: string | undefined;
  readonly verificationKey?: string | undefined;
  readonly credentials?: PullCredentials | undefined;
}

export interface ModuleSource {
  /**
   * Brings into the cache what a plugin's url names. `sha256` pins the manifest or index of an OCI artifact, and the
   * module itself for the other schemes. What `verificationKey` and the policy ask for was verified. Throws ModuleError.
   */
  bring(of: WantedModule, signal: AbortSignal): Promise<BroughtModule>;
  /** The same, and reads it. */
  fetch(of: WantedModule, signal: AbortSignal): Promise<FetchedModule>;
  /**
   * What a tag in a registry names now, told by `mirror` alone, or with undefined by the registry itself; by any of them
   * where that mirror is not configured any more. Throws ModuleError.
   */
  findTag(
    of: {
      readonly url: string;
      readonly credentials: PullCredentials | undefined;
      readonly mirror: string | undefined;
    },
    signal: AbortSignal,
  ): Promise<FoundTag>;
  readonly signatures: SignatureChecker;
  readonly meter: Meter;
  close(): Promise<void>;
}

const MAX_FILE_BYTES = 256 << 20;

export function createModuleSource(cache: BlobCache, options: ModuleSourceOptions): ModuleSource {
  const registry = createRegistryClient(options);
  const http = createHttpClient(options.timeLimits, options.onTransfer);
  const policy = options.signatures ?? NO_SIGNATURE_POLICY;
  const signatures = createSignatureChecker(policy, registry, options.clock);
  const { meter } = options;
  const source: ModuleSource = {
    signatures,
    meter,
    async bring(of, signal) {
      try {
        const module = await bring(of, signal);
        meter.fetched('ok');
        return module;
      } catch (error) {
        meter.fetched(toFetchResult(error, signal));
        throw error;
      }
    },

    async fetch(of, signal) {
      const module = await source.bring(of, signal);
      const bytes = await cache.read(module.sha256, MAX_MODULE_BYTES);
      if (bytes === undefined) throw lostFromCache(module.sha256);
      return { ...module, bytes };
    },
    async findTag({ url, credentials, mirror }, signal) {
      const reference = parseReference(url);
      if (reference.scheme !== 'oci') throw new TypeError(`${url} has no tag`);
      return registry.as(credentials).findTag(reference, reference.tag ?? 'latest', mirror, signal);
    },
    async close() {
      await Promise.all([registry.close(), http.close()]);
    },
  };
  return source;

  async function bring(
    { url, sha256, verificationKey, credentials }: WantedModule,
    signal: AbortSignal,
  ): Promise<BroughtModule> {
    const reference = parseReference(url);
    const checkSignature = async (digests: SignedDigests) => {
      const signature = await signatures.check({ url, verificationKey, credentials }, digests, signal);
      requireSignature(url, signature, digests);
      return signature;
    };
    if (reference.scheme === 'oci')
      return bringFromRegistry(registry.as(credentials), cache, reference, sha256, checkSignature, signal);
    const signature = await checkSignature({});
    const module =
      reference.scheme === 'file'
        ? await readFile(reference, options.moduleDirectory)
        : await download(reference, signal);
    if (sha256 !== undefined) verifyDigest(module.bytes, `sha256:${sha256}`, url);
    return {
      ...(await keepModule(cache, module.bytes)),
      layout: module.found === 'plain' ? 'plain' : 'archive',
      ...(signature === undefined ? {} : { signature }),
    };
  }

  async function download({ url }: HttpReference, signal: AbortSignal): Promise<UnpackedModule> {
    const mayBePrivate = (one: URL) => isListed(one, options.allowPrivateHosts);
    const response = await http.send({
      method: 'GET',
      url: new URL(url),
      check: () => {},
      mayBePrivate,
      signal,
    });
    if (response.status !== 200) throw toHttpError(await toResponseError(response, url));
    return toOne(await unpackModule(bound(response.body)), url);
  }
}

/** One of a fixed set of words: codes of ModuleError are a union. */
function toFetchResult(error: unknown, signal: AbortSignal): string {
  if (signal.aborted) return 'cancelled';
  return error instanceof ModuleError ? error.code : 'module-fault';
}

function parseReference(url: string) {
  try {
    return parseModuleReference(url);
  } catch (cause) {
    if (!(cause instanceof ModuleReferenceError)) throw cause;
    const { message, hint } = cause;
    throw new ModuleError('bad-reference', message, { cause, ...(hint === undefined ? {} : { hint }) });
  }
}

async function readFile(reference: FileReference, directory: string | undefined): Promise<UnpackedModule> {
  const { path } = reference;
  if (directory === undefined)
    throw new ModuleError('file-refused', `file://${path}: no directory of modules is configured`, {
      hint: 'Start the server with --module-directory DIR, or use oci://.',
    });
  const [real, root] = await Promise.all([resolvePath(path, path), resolvePath(directory, path)]);
  if (!real.startsWith(root.endsWith(sep) ? root : root + sep))
    throw new ModuleError('file-refused', `file://${path} is not below ${directory}`, {
      hint: 'Put the module into that directory, or start the server with another --module-directory.',
    });
  if (!(await stat(real)).isFile())
    throw new ModuleError('file-refused', `file://${path} is no regular file`, {
      hint: 'Name the .wasm file.',
    });
  return toOne(await unpackModule(bound(createReadStream(real))), `file://${path}`);
}

async function resolvePath(path: string, named: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (cause) {
    throw new ModuleError('module-not-found', `file://${named}: ${toMessage(cause)}`, {
      cause,
      hint: 'The path is one on the control plane. Check it, and its permissions.',
    });
  }
}

async function* bound(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let sizeBytes = 0;
  for await (const chunk of chunks) {
    sizeBytes += chunk.length;
    if (sizeBytes > MAX_FILE_BYTES)
      throw new ModuleError('too-big', `the file has more than ${MAX_FILE_BYTES} bytes`, {
        hint: 'Check what the URL names: it does not look like a module.',
      });
    yield chunk;
  }
}

function toOne(module: UnpackedModule | undefined, what: string): UnpackedModule {
  if (module !== undefined) return module;
  throw new ModuleError('no-module', `${what}: the archive holds no plugin.wasm and no other *.wasm`, {
    hint: 'Put the module into the archive as plugin.wasm.',
  });
}

/** Nothing logs in to a web server. */
function toHttpError(error: ModuleError): ModuleError {
  if (error.code !== 'unauthorized' && error.code !== 'denied') return error;
  return new ModuleError(error.code, error.message, {
    hint: 'http(s) modules are fetched without credentials. Push the module to a registry and use oci://.',
  });
}
