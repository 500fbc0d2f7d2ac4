import type { DocumentErrorCode } from './document-error.ts';

/**
 * Why a document of another control plane becomes no plugin, beside what can be wrong with any document.
 * - `wasm-service`: it runs beside the traffic, not in it; `network-filter`: it works on TCP
 * - `file-on-node`: the module is a file on the proxy; `inline-module`: it stands in the document itself
 * - `other-runtime`: not V8; `text-configuration`: the configuration is no JSON object
 * - `not-a-wasm-filter`: a filter of another kind, or a change to one
 */
export type ConvertErrorCode =
  | 'wasm-service'
  | 'network-filter'
  | 'file-on-node'
  | 'inline-module'
  | 'other-runtime'
  | 'text-configuration'
  | 'not-a-wasm-filter';

/** Every code that a conversion can end with. */
export type ConversionCode = ConvertErrorCode | DocumentErrorCode;
