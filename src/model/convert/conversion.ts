import type { ConversionCode } from '../convert-error.ts';
import type { Fault } from '../error.ts';
import type { JsonObject } from '../plugin-spec.ts';

/**
 * What could not be carried over as it was; texts never hold a value of the configuration or of the environment.
 * - `note`: left out, and nothing changes by that
 * - `warning`: left out or changed, and the plugin may behave differently
 * - `error`: no plugin is made
 */
export interface ConversionNote extends Fault {
  readonly level: 'note' | 'warning' | 'error';
  /** Of errors only. */
  readonly code?: ConversionCode;
}

/** A plugin document that `apply` takes, and where it comes from. */
export interface ConvertedPlugin {
  readonly document: {
    readonly apiVersion: 'attache/v1';
    readonly kind: 'Plugin';
    /** Without a namespace where the source has none. */
    readonly metadata: { readonly name: string; readonly namespace?: string };
    readonly spec: JsonObject;
  };
  /** RFC 6901 pointer to the part of the source document that it was made of. */
  readonly pointer: string;
}

/** What became of one document; one item of a Kubernetes `List` counts as one. */
export interface Conversion {
  /** Place in the list of documents that were given. */
  readonly source: number;
  /** Empty, or `/items/3` of a `List`. */
  readonly pointer: string;
  /** `EnvoyFilter shop/auth`; as much of it as is known. */
  readonly title: string;
  readonly plugins: readonly ConvertedPlugin[];
  readonly notes: readonly ConversionNote[];
}
