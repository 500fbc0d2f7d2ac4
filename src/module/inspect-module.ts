import { createReadStream } from 'node:fs';
import { tmpdir } from 'node:os';
import type {
  InspectedArtifact,
  InspectedManifest,
  InspectedModule,
  InspectedSymbol,
  ModuleInspection,
} from '../model/module-inspection.ts';
import type { OciReference } from '../model/module-reference.ts';
import { sha256Hex } from '../model/plugin-spec.ts';
import type { BlobCache } from './blob-cache.ts';
import { MAX_MODULE_BYTES } from './check-module.ts';
import { readConfigSchema } from './config-schema/read-config-schema.ts';
import { inspectSignatures } from './inspect-signatures.ts';
import { chooseChild, type ImageIndex, type ImageManifest, parseManifest } from './manifest.ts';
import { TITLE_ANNOTATION } from './media-types.ts';
import { ModuleError } from './module-error.ts';
import { toPersonalOptions } from './personal-registry.ts';
import { type SourceRequest, withSource } from './pull-module.ts';
import { createRegistryClient, type ReceivedManifest, type RegistryClient } from './registry-client.ts';
import { toRegistryReference } from './tag-artifact.ts';
import { unpackModule } from './unpack.ts';
import { parseWasmHeader } from './wasm-header.ts';

export interface InspectReferenceRequest extends SourceRequest {
  /** PEM; absent: signatures are counted and not checked. */
  readonly verificationKey?: string;
}

const ABI = /^proxy_abi_version_(\d+)_(\d+)_(\d+)$/;

/** A file of this machine, or an archive with a module in it. Throws the fault of the file system. */
export async function inspectFile(path: string): Promise<ModuleInspection> {
  const rest = await orFault(async () => {
    const unpacked = await unpackModule(createReadStream(path));
    if (unpacked === undefined)
      throw new ModuleError('no-module', `${path}: the archive holds no plugin.wasm and no other *.wasm`, {
        hint: 'Name the .wasm file.',
      });
    const { bytes, found } = unpacked;
    return { module: inspectBytes(bytes, found === 'plain' ? 'plain' : 'archive') };
  });
  return { name: path, ...rest };
}

/**
 * What a reference names: the artifact, then the module in it. An artifact without a module, or one that cannot be
 * read, is told as its `fault`; throws ModuleError where nothing is there.
 */
export async function inspectReference(request: InspectReferenceRequest): Promise<ModuleInspection> {
  const reference = toRegistryReference(request.reference);
  const name = `${reference.host}/${reference.repository}${reference.digest === undefined ? `:${reference.tag}` : `@${reference.digest}`}`;
  const client = createRegistryClient(toPersonalOptions(request, reference.host));
  try {
    const found = await inspectArtifact(client, reference, name);
    const digests = { referenceDigest: found.digest, manifestDigest: found.manifest?.digest };
    const signatures = await inspectSignatures(client, reference, digests, request.verificationKey);
    const artifact = { ...found, signatures };
    // By digest: what was looked at is what is taken, also where the tag moves in between.
    const pinned = `oci://${reference.host}/${reference.repository}@${artifact.manifest?.digest ?? artifact.digest}`;
    const rest = await orFault(() =>
      withSource({ ...request, reference: pinned }, tmpdir(), async source => {
        const { bytes, layout } = await source.fetch({ url: pinned }, new AbortController().signal);
        return { module: inspectBytes(bytes, layout) };
      }),
    );
    return { name, artifact, ...rest };
  } finally {
    await client.close();
  }
}

async function inspectArtifact(
  client: RegistryClient,
  reference: OciReference,
  name: string,
): Promise<Omit<InspectedArtifact, 'signatures'>> {
  const { signal } = new AbortController();
  const first = reference.digest ?? reference.tag ?? 'latest';
  let received = await client.getManifest(reference, first, signal);
  const { digest } = received;
  let parsed = parseManifest(received.bytes, received.contentType, name);
  const mediaType = received.contentType;
  if (parsed.kind === 'manifest')
    return { digest, mediaType, children: [], manifest: toManifest(parsed, received, {}) };
  const annotations = readAnnotations(received.bytes);
  const children = toChildren(parsed, name);
  const chosen = children.find(child => child.chosen);
  if (chosen === undefined) return { digest, mediaType, children };
  received = await client.getManifest(reference, chosen.digest, signal);
  parsed = parseManifest(received.bytes, received.contentType, name);
  if (parsed.kind === 'index') return { digest, mediaType, children };
  return { digest, mediaType, children, manifest: toManifest(parsed, received, annotations) };
}

function toChildren(index: ImageIndex, name: string): InspectedArtifact['children'] {
  const chosen = findChosen(index, name);
  return index.children.map(({ digest, mediaType, sizeBytes, platform }) => ({
    digest,
    mediaType,
    sizeBytes,
    platform: platform === undefined ? '' : `${platform.os}/${platform.architecture}`,
    chosen: digest === chosen,
  }));
}

/** Undefined where none can be chosen; taking the module says why. */
function findChosen(index: ImageIndex, name: string): string | undefined {
  try {
    return chooseChild(index, name).digest;
  } catch (error) {
    if (error instanceof ModuleError) return undefined;
    throw error;
  }
}

function toManifest(
  manifest: ImageManifest,
  { digest, bytes }: ReceivedManifest,
  inherited: Readonly<Record<string, string>>,
): InspectedManifest {
  return {
    digest,
    artifactType: manifest.artifactType,
    configType: manifest.configType,
    layers: manifest.layers.map(({ mediaType, digest: of, sizeBytes, annotations }) => ({
      mediaType,
      digest: of,
      sizeBytes,
      title: annotations[TITLE_ANNOTATION],
    })),
    annotations: { ...inherited, ...readAnnotations(bytes) },
  };
}

/** Of bytes that parseManifest took. */
function readAnnotations(bytes: Uint8Array): Readonly<Record<string, string>> {
  const { annotations } = JSON.parse(Buffer.from(bytes).toString()) as { annotations?: unknown };
  if (typeof annotations !== 'object' || annotations === null) return {};
  return Object.fromEntries(
    Object.entries(annotations).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

/** What is in a module that the cache holds. */
export async function inspectCached(cache: BlobCache, sha256: string): Promise<InspectedModule | undefined> {
  const bytes = await cache.read(sha256, MAX_MODULE_BYTES);
  return bytes === undefined ? undefined : inspectBytes(bytes, 'plain');
}

/** A module by itself. Throws what parseWasmHeader throws. */
export function inspectBytes(bytes: Uint8Array, layout: string): InspectedModule {
  const header = parseWasmHeader(bytes);
  const abi = header.exports.map(({ name }) => ABI.exec(name)).find(match => match !== null);
  const toSymbol = (
    name: string,
    { kind, signature }: { kind: string; signature?: string },
  ): InspectedSymbol => ({
    kind,
    name,
    signature,
  });
  return {
    sha256: sha256Hex(bytes),
    sizeBytes: bytes.length,
    layout,
    abi: abi?.slice(1).join('.'),
    memoryPages: header.initialMemoryPages,
    imports: header.imports.map(one => toSymbol(`${one.module}.${one.name}`, one)),
    exports: header.exports.map(one => toSymbol(one.name, one)),
    ...inspectSchema(bytes),
  };
}

function inspectSchema(bytes: Uint8Array): Pick<InspectedModule, 'configSchema'> {
  try {
    const configSchema = readConfigSchema(bytes);
    return configSchema === undefined ? {} : { configSchema };
  } catch (error) {
    if (!(error instanceof ModuleError)) throw error;
    return { configSchema: error.message };
  }
}

async function orFault(
  job: () => Promise<Pick<ModuleInspection, 'module'>>,
): Promise<Pick<ModuleInspection, 'module' | 'fault'>> {
  try {
    return await job();
  } catch (error) {
    // What may pass by itself says nothing about the artifact.
    if (!(error instanceof ModuleError) || error.transient) throw error;
    const { code, message, hint } = error;
    return { fault: { code, message, ...(hint === undefined ? {} : { hint }) } };
  }
}
