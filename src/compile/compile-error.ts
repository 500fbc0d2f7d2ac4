import { AttacheError } from '../model/error.ts';

/**
 * unknown-type: a `@type` that neither the API package nor the overlays declare. unknown-field, wrong-type: what
 * the proto says otherwise. wrong-resource: a resource of another type than its document's kind, or without a
 * name. name-conflict: two documents give one node the same Envoy name. missing-revision: an Assignment names
 * a Revision that is not there. redacted-value: what is shown in place of a secret stands where one belongs. bad-protoset: a file of `--protoset` is no FileDescriptorSet.
 */
export type CompileErrorCode =
  | 'unknown-type'
  | 'unknown-field'
  | 'wrong-type'
  | 'wrong-resource'
  | 'name-conflict'
  | 'missing-revision'
  | 'redacted-value'
  | 'bad-protoset';

/** What goes wrong while documents become Envoy resources; faults have JSON pointers into the document. */
export class CompileError extends AttacheError<CompileErrorCode> {}
