import { cutText } from '../model/cut-text.ts';
import { AttacheError, type Fault } from '../model/error.ts';

/** Faults that may pass by themselves: the reconciler tries again. */
export type TransientModuleErrorCode =
  /** No connection, no name, a time limit, or a body that ended early. */
  | 'registry-unreachable'
  /** 429. */
  | 'registry-busy'
  /** 5xx, or an answer that is no registry's. */
  | 'registry-error'
  /** The data directory could not be read or written. */
  | 'cache-failed'
  /** No room for the module: the quota, or the disk. */
  | 'cache-full'
  /** A trial run did not come about: too many wait, or no process can be started. */
  | 'trial-not-run'
  /** A fault of Attaché itself; its log has the details. */
  | 'module-fault';

/** Faults that stay until somebody changes something. */
export type FinalModuleErrorCode =
  /** A URL that names no module. */
  | 'bad-reference'
  /** 401: no credentials, or wrong ones. */
  | 'unauthorized'
  /** 403: known, and not allowed. */
  | 'denied'
  /** 404: no such repository, tag, digest, path or file. */
  | 'module-not-found'
  /** Any other 4xx. */
  | 'request-refused'
  /** Bytes that do not hash to what was promised or pinned. */
  | 'wrong-digest'
  /** A manifest or index that is none, or that contradicts itself. */
  | 'bad-manifest'
  /** An artifact without a module in it. */
  | 'no-module'
  /** An artifact or index with several candidates. */
  | 'ambiguous-module'
  /** A layer or file that does not unpack. */
  | 'bad-archive'
  /** More bytes than the limit of their kind. */
  | 'module-too-big'
  | 'too-big'
  /** A private or loopback address that is not allowed. */
  | 'address-refused'
  /** A redirect that is not followed. */
  | 'redirect-refused'
  /** `imagePullSecret` names what is not there, or was stored with another key. */
  | 'pull-secret-missing'
  | 'pull-secret-locked'
  /** A docker config.json that cannot be used. */
  | 'bad-credentials'
  /** A file:// outside of the configured directory, or none is configured. */
  | 'file-refused'
  /** A signature that is required, and is not there; or is there, and does not hold. */
  | 'signature-missing'
  | 'signature-invalid'
  /** `verificationKey` names no authority that is known. */
  | 'signature-key-unknown'
  /** A registry upload that failed. */
  | 'push-failed'
  /** The module port could not be opened. */
  | 'modules-listen-failed'
  | WasmErrorCode
  | ConfigSchemaErrorCode
  | TrialErrorCode;

/** What the check of the bytes can find. Envoy refuses each of these too. */
export type WasmErrorCode =
  | 'not-wasm'
  | 'component'
  | 'broken-wasm'
  | 'no-proxy-abi'
  | 'no-allocator'
  | 'unknown-import'
  | 'imported-global'
  | 'bad-callback'
  | 'memory-too-big';

/** What a trial run with the real configuration can find. */
export type TrialErrorCode =
  /** The plugin says no. */
  | 'trial-refused'
  | 'trial-trapped'
  /** It does not come to an end. */
  | 'trial-timeout'
  /** It takes more memory than Envoy gives. */
  | 'trial-memory';

/** What the schema that a module brings for its configuration can find. */
export type ConfigSchemaErrorCode =
  /** The configuration does not fit it. */
  | 'config-mismatch'
  /** The schema itself cannot be used. */
  | 'bad-config-schema';

export type ModuleErrorCode = TransientModuleErrorCode | FinalModuleErrorCode;

const TRANSIENT: ReadonlySet<string> = new Set<TransientModuleErrorCode>([
  'registry-unreachable',
  'registry-busy',
  'registry-error',
  'cache-failed',
  'cache-full',
  'trial-not-run',
  'module-fault',
]);

/** What registries and modules say is quoted in messages, and messages are kept: in records, events and the audit. */
const MAX_TEXT = 4_000;

/** A fault in getting, checking or keeping a module, in a bounded text. The hint says what to do next. */
export class ModuleError extends AttacheError<ModuleErrorCode> {
  /** How long the other side asked to be left alone, in ms. */
  readonly retryAfterMs: number | undefined;

  constructor(
    code: ModuleErrorCode,
    message: string,
    options: { cause?: unknown; hint?: string; faults?: readonly Fault[]; retryAfterMs?: number } = {},
  ) {
    const { hint, ...more } = options;
    const bounded = hint === undefined ? more : { ...more, hint: cutText(hint, MAX_TEXT) };
    super(code, cutText(message, MAX_TEXT), bounded);
    this.retryAfterMs = options.retryAfterMs;
  }

  /** Whether trying again may help. */
  get transient(): boolean {
    return TRANSIENT.has(this.code);
  }
}
