import type { ModuleSignature } from './module-signature.ts';
import {
  type EnvVar,
  type FailStrategy,
  type JsonObject,
  type Phase,
  type PluginName,
  type PluginSpec,
  sha256Hex,
  type TrafficMatch,
  toCanonicalJson,
} from './plugin-spec.ts';

/** What a revision consists of besides the module: everything that changes what Envoy runs, and nothing else. */
export interface RevisionConfig {
  readonly pluginConfig?: JsonObject;
  readonly pluginName?: string;
  readonly env: readonly EnvVar[];
  readonly phase: Phase;
  readonly priority: number;
  readonly match: readonly TrafficMatch[];
  readonly failStrategy?: FailStrategy;
}

/** Immutable: plugin + module digest + configuration. Written by the module stage only. */
export interface Revision {
  readonly plugin: PluginName;
  /** 1, 2, 3 … per plugin, never used twice. */
  readonly number: number;
  /** Hash over module digest and configuration: same content, no new revision. */
  readonly contentHash: string;
  /** Hash of the configuration alone; its first six characters are what history shows. */
  readonly configHash: string;
  readonly config: RevisionConfig;
  readonly module: ModuleFacts;
  readonly createdAt: number;
  readonly message?: string;
}

/** What the module stage found out about the bytes. */
export interface ModuleFacts {
  /** Lower-case hex sha256 of the module bytes: what Envoy checks. */
  readonly sha256: string;
  readonly sizeBytes: number;
  /** What the user wrote, and the digest it named at the time (manifest or index; `sha256:<hex>`): when it was last found. */
  readonly url: string;
  readonly referenceDigest?: string;
  readonly manifestDigest?: string;
  /** The mirror that gave the manifest, `HOST/REPOSITORY`; absent: the registry itself. */
  readonly mirror?: string;
  /** Which layout rule found the module, e.g. `compat-image`. */
  readonly layout: string;
  /** `0.1.0`, `0.2.0` or `0.2.1`. */
  readonly abi: string;
  readonly importCount: number;
  /** Absent: no signature was asked for. It may change: other things can be asked later. */
  readonly signature?: ModuleSignature;
  /** Of a run of the module with this revision's configuration; absent in revisions from before there were such runs. */
  readonly trial?: TrialFacts;
}

/** What a trial run found that let the revision pass. */
export interface TrialFacts {
  /** `unsure`: the plugin said no, but only after it had asked for what a node alone knows. */
  readonly outcome: 'ok' | 'unsure';
  /** What happened, for `unsure`. */
  readonly reason?: string;
  /** The last lines that the plugin logged, for `unsure`. */
  readonly logs?: readonly string[];
  readonly tookMs: number;
  /** What the run could not know: phrases such as `env TOKEN_FILE comes from the host (…)`. */
  readonly unknowable: readonly string[];
  /**
   * How it fails when it is asked to go, and kills the VM that a later configuration would share with it; absent: it
   * does not.
   */
  readonly leaving?: string;
}

/** The configuration part of a spec, with the defaults that change what runs filled in. */
export function toRevisionConfig(spec: PluginSpec): RevisionConfig {
  return {
    ...(spec.pluginConfig === undefined || Object.keys(spec.pluginConfig).length === 0
      ? {}
      : { pluginConfig: spec.pluginConfig }),
    ...(spec.pluginName === undefined ? {} : { pluginName: spec.pluginName }),
    ...(spec.failStrategy === undefined ? {} : { failStrategy: spec.failStrategy }),
    env: spec.env ?? [],
    phase: spec.phase ?? 'UNSPECIFIED_PHASE',
    priority: spec.priority ?? 0,
    match: spec.match ?? [],
  };
}

export function hashConfig(config: RevisionConfig): string {
  return sha256Hex(toCanonicalJson(config));
}

export function hashRevision(moduleSha256: string, config: RevisionConfig): string {
  return sha256Hex(`${moduleSha256}\n${toCanonicalJson(config)}`);
}

/**
 * How far the module stage got with a plugin's newest spec; one record per plugin, beside its revisions.
 * `failed` is final until the spec changes; `retrying` goes on by itself.
 */
export interface ModuleProgress {
  readonly plugin: PluginName;
  /** Store revision of the PluginSpec this is about. */
  readonly specRevision: number;
  readonly state: 'resolving' | 'retrying' | 'failed' | 'ready';
  /** The revision number, once `ready`. */
  readonly revision?: number;
  /** Error code, text and next step, for `retrying` and `failed`. */
  readonly code?: string;
  readonly message?: string;
  readonly hint?: string;
  /** RFC 6901 JSON pointer to the part of the document that is at fault, where one is. */
  readonly pointer?: string;
  readonly since: number;
  /** What the tag named when it was last followed, and who told it, once `ready`: it may be of the same content as before. */
  readonly found?: { readonly digest: string; readonly mirror?: string };
  /** The last look at the tag, where nothing came of it; what is ready stays as it is. */
  readonly tag?: TagTrouble;
}

/** Why a tag that is followed could not be followed. */
export interface TagTrouble {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  /** What the tag names now, where that is known and cannot be used: it is not fetched again. */
  readonly digest?: string;
  /** Since when it is so, ms. */
  readonly since: number;
}
