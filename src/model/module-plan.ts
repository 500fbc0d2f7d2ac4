import type { Fault } from './error.ts';
import type { PluginSpec } from './plugin-spec.ts';
import type { Revision } from './revision.ts';

/** What the module stage would make of a document, had it been stored. */
export type ModulePlan =
  /** `isNew` false: the plugin has a revision of this content already, and this is it. */
  | { readonly kind: 'revision'; readonly revision: Revision; readonly isNew: boolean }
  | { readonly kind: 'problem'; readonly problem: ModuleProblem };

/** Why there would be no revision. */
export interface ModuleProblem {
  /** Stable, listed in docs/errors.md. */
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  /** RFC 6901 JSON pointer to the part of the document that is at fault, where one is. */
  readonly pointer?: string;
  /** It may pass by itself: the module stage would try again. */
  readonly transient: boolean;
}

/**
 * Resolves, fetches and checks a module without storing anything but its bytes. Answers within a time limit; the
 * signal gives up earlier. Throws what is a fault of our own.
 */
export type PlanModule = (spec: PluginSpec, signal: AbortSignal) => Promise<ModulePlan>;

/**
 * What of a document's `pluginConfig` does not fit the schema that its module brings, with pointers into the document.
 * None where the module cannot be had within seconds: the module stage checks it again. The signal gives up earlier.
 */
export type CheckPluginConfig = (spec: PluginSpec, signal: AbortSignal) => Promise<readonly Fault[]>;
