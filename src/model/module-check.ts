import type { Fault } from './error.ts';
import type { ModuleInspection } from './module-inspection.ts';

/** What Envoys would do with the plugin in a file, started with a configuration. */
export interface ModuleCheck extends ModuleInspection {
  /** One for each release that was asked for, in that order; empty where there is no module. */
  readonly releases: readonly CheckedRelease[];
}

export interface CheckedRelease {
  /** `1.40.0`; empty: the newest that is known. */
  readonly envoyVersion: string;
  /** `unsure`: it said no after it had asked for what only a node knows. */
  readonly result: 'accepted' | 'refused' | 'unsure';
  /** Why it is `unsure`. */
  readonly reason?: string;
  /** Why it is `refused`. */
  readonly fault?: CheckFault;
  /** What happened when it was started; absent where it was not. */
  readonly run?: CheckedRun;
}

export interface CheckFault {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  /** Where in the plugin document; empty: it is about the module alone. */
  readonly faults: readonly Fault[];
}

export interface CheckedRun {
  /** What the plugin logged, as far as it is kept. */
  readonly logs: readonly { readonly level: string; readonly message: string }[];
  readonly hasMoreLogs: boolean;
  /** From the first byte of the module's code to the end. */
  readonly tookMs: number;
  /** What it asked its host for, by kind: `properties`, `metrics`, `clusters`, `foreignFunctions`, `hostEnv`. */
  readonly wanted: Readonly<Record<string, readonly string[]>>;
  /** What it asked for that only a node knows, as phrases. */
  readonly unknowable: readonly string[];
  /** How it fails when it is asked to go, as by each new configuration; empty: it does not. */
  readonly leaving: string;
}
