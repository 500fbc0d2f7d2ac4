import type { Meter } from '../model/meter.ts';
import { parseModuleReference } from '../model/module-reference.ts';
import type { PluginSpec } from '../model/plugin-spec.ts';
import type { ModuleFacts, Revision, TrialFacts } from '../model/revision.ts';
import type { BlobCache } from './blob-cache.ts';
import { type CheckedModule, checkModule, MAX_MODULE_BYTES, type TargetEnvoys } from './check-module.ts';
import { checkConfig } from './config-schema/check-config.ts';
import type { ModuleSource } from './fetch-module.ts';
import { ModuleError } from './module-error.ts';
import { readOutline } from './module-outline.ts';
import { findKnownModule } from './plan-revision.ts';
import type { ReadPullSecret } from './pull-secret-reader.ts';
import type { FoundTag } from './registry-client.ts';
import {
  isSettled,
  requireSignature,
  type SignatureChecker,
  withSignature,
} from './signature/signature-checker.ts';
import type { TrialModule } from './trial/trial-module.ts';
import type { TrialInput } from './trial/trial-runner.ts';
import { type RunTrial, tryPlugin } from './trial/try-plugin.ts';
import { wrongDigest } from './verify-digest.ts';

export interface ResolvePorts {
  /** Can take long. */
  readonly bringModule: ModuleSource['bring'];
  readonly signatures: Pick<SignatureChecker, 'renew' | 'isCurrent'>;
  readonly readPullSecret: ReadPullSecret;
  readonly cache: BlobCache;
  readonly runTrial: RunTrial;
  readonly meter: Pick<Meter, 'lookedUp'>;
}

/**
 * The module of a plugin, verified, checked for the target Envoys, durable in the cache, and run with its configuration.
 * The source is asked only where the plugin's own memory (its revisions) does not answer. Throws ModuleError.
 */
export async function resolvePlugin(
  spec: PluginSpec,
  revisions: readonly Revision[],
  targets: readonly TargetEnvoys[],
  ports: ResolvePorts,
  signal: AbortSignal,
  /** What the tag is known to name: just that is taken. */
  tag?: FoundTag,
): Promise<ModuleFacts> {
  const giveUp = new AbortController();
  const run = (module: Omit<ModuleFacts, 'trial'>) => {
    const { sha256, sizeBytes } = module;
    // Without the bytes: many may wait for their trial run, which takes them from the cache when its turn comes.
    const load = () => readModule(module, ports.cache);
    const runTrial = (of: TrialModule, input: TrialInput) => ports.runTrial(of, input, giveUp.signal);
    return tryPlugin({ sha256, sizeBytes, load }, spec, targets, runTrial);
  };
  const known = findKnownModule(spec, revisions);
  // What is looked at below was found good before: meanwhile its trial runs. A new configuration waits half as long.
  const ahead = known && isSigned(spec, known, ports) ? run(known) : undefined;
  // It is asked for below, or nobody wants it.
  ahead?.catch(() => {});
  try {
    const module = await obtainModule(spec, revisions, targets, ports, signal, tag);
    const trial = ahead === undefined ? run(module) : ahead.catch(ifLost(() => run(module)));
    return { ...module, trial: await trial };
  } finally {
    giveUp.abort();
  }
}

/** A signature that is asked for now was found before: nothing else is run before it is looked for. */
function isSigned(spec: PluginSpec, { signature }: ModuleFacts, { signatures }: ResolvePorts): boolean {
  try {
    return isSettled(signatures, spec, signature);
  } catch {
    return false;
  }
}

/** The bytes were gone when the trial began, and are there again. */
function ifLost(run: () => Promise<TrialFacts>): (error: unknown) => Promise<TrialFacts> {
  return error => {
    if (error instanceof ModuleError && error.code === 'cache-failed') return run();
    throw error;
  };
}

/**
 * All of it but the trial run: of an earlier one the configuration may have been another. The configuration fits the
 * schema that the module brings. Throws ModuleError.
 */
export async function obtainModule(
  spec: PluginSpec,
  revisions: readonly Revision[],
  targets: readonly TargetEnvoys[],
  { bringModule, signatures, readPullSecret, cache, meter }: Omit<ResolvePorts, 'runTrial'>,
  signal: AbortSignal,
  tag?: FoundTag,
): Promise<Omit<ModuleFacts, 'trial'>> {
  // Also where the module is known: a secret that is not there is to be seen when it is written, not when it is needed.
  const credentials = await readPullSecret(spec);
  const known = findKnownModule(spec, revisions);
  const outline = known && (await readOutline(cache, known.sha256));
  meter.lookedUp(outline !== undefined);
  if (known !== undefined && outline !== undefined) {
    const signature = await signatures.renew({ ...spec, credentials }, known, signal);
    requireSignature(spec.url, signature, known);
    // A node of an older release may have come since.
    await checkOutline(outline, known, spec, targets, cache);
    return withSignature(known, signature);
  }
  const pinned = tag === undefined ? known && toPinned(known) : { url: toDigestUrl(spec.url, tag.digest) };
  const fetched = await bringModule({ ...spec, credentials, ...pinned }, signal);
  const mirror = tag === undefined ? fetched.mirror : tag.mirror;
  const { sha256 } = fetched;
  if (known !== undefined && sha256 !== known.sha256)
    throw wrongDigest(`the module of ${spec.url}`, `sha256:${known.sha256}`, `sha256:${sha256}`);
  const brought = { sha256, url: spec.url };
  const contents = await readOutline(cache, sha256);
  if (contents === undefined) throw goneFromCache(brought);
  const { abi, importCount } = await checkOutline(contents, brought, spec, targets, cache);
  return {
    sha256,
    sizeBytes: fetched.sizeBytes,
    url: spec.url,
    ...(fetched.referenceDigest === undefined ? {} : { referenceDigest: fetched.referenceDigest }),
    ...(fetched.manifestDigest === undefined ? {} : { manifestDigest: fetched.manifestDigest }),
    ...(mirror === undefined ? {} : { mirror }),
    layout: fetched.layout,
    abi,
    importCount,
    ...(fetched.signature === undefined ? {} : { signature: fetched.signature }),
  };
}

/** A module in the cache, and the configuration that it is to get. Throws ModuleError. */
async function checkOutline(
  outline: Uint8Array,
  module: Pick<ModuleFacts, 'sha256' | 'url'>,
  spec: PluginSpec,
  targets: readonly TargetEnvoys[],
  cache: BlobCache,
): Promise<CheckedModule> {
  try {
    const checked = checkModule(outline, targets);
    checkConfig(outline, spec);
    return checked;
  } catch (error) {
    // Where it is broken, only the whole of it can tell.
    if (error instanceof ModuleError && error.code === 'broken-wasm')
      checkModule(await readModule(module, cache), targets);
    throw error;
  }
}

async function readModule({ sha256, url }: Pick<ModuleFacts, 'sha256' | 'url'>, cache: BlobCache) {
  const bytes = await cache.read(sha256, MAX_MODULE_BYTES);
  if (bytes === undefined) throw goneFromCache({ url });
  return bytes;
}

function goneFromCache({ url }: Pick<ModuleFacts, 'url'>): ModuleError {
  return new ModuleError('cache-failed', `the module of ${url} is gone from the data directory`, {
    hint: 'It is fetched again.',
  });
}

/** The same bytes as before, though a tag may have moved since. */
export function toPinned(known: ModuleFacts): { readonly url: string; readonly sha256?: string } {
  const reference = parseModuleReference(known.url);
  if (reference.scheme !== 'oci') return { url: known.url, sha256: known.sha256 };
  const digest = reference.digest ?? known.referenceDigest;
  if (digest === undefined) return { url: known.url };
  return { url: toDigestUrl(known.url, digest) };
}

function toDigestUrl(url: string, digest: string): string {
  const reference = parseModuleReference(url);
  return reference.scheme === 'oci' ? `oci://${reference.host}/${reference.repository}@${digest}` : url;
}
