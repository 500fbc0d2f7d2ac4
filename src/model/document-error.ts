import type { Fault } from './error.ts';

/**
 * What can be wrong with a document before anything is fetched.
 * - `unknown-field`, `wrong-type`, `missing-field`: the shape
 * - `out-of-bounds`: the right type, but a value that is not allowed
 * - `contradiction`: two fields that exclude or deny each other
 * - `not-supported`: it means something, but not here, or not yet
 * - `unknown-kind`: no document that Attaché takes
 */
export type DocumentErrorCode =
  | 'unknown-field'
  | 'wrong-type'
  | 'missing-field'
  | 'out-of-bounds'
  | 'contradiction'
  | 'not-supported'
  | 'unknown-kind';

/** A fault with its code. A document's parser answers all of them at once. */
export interface DocumentFault extends Fault {
  readonly code: DocumentErrorCode;
}
