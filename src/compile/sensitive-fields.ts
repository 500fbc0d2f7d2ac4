import type { Fault } from '../model/error.ts';
import type { JsonObject } from '../model/plugin-spec.ts';
import { REDACTED } from '../model/show-resource.ts';
import { CompileError } from './compile-error.ts';
import { toCompileError } from './json-faults.ts';
import { type KnownTypes, walkFields } from './json-walk.ts';
import { isSensitive } from './sensitive-mark.ts';

/** JSON pointers of what no answer and no log may hold; the outermost of each. */
export function findSensitive(types: KnownTypes, resource: JsonObject): readonly string[] {
  const pointers: string[] = [];
  walkFields(types, resource, ({ field, pointer }) => {
    if (!isSensitive(field)) return true;
    pointers.push(pointer);
    return false;
  });
  return pointers;
}

/**
 * Throws CompileError `redacted-value` where a secret is what the API shows in its place: somebody applied what was
 * read from it.
 */
export function refuseRedacted(types: KnownTypes, resource: JsonObject): void {
  const faults: Fault[] = [];
  walkFields(types, resource, ({ field, value, pointer }) => {
    if (!isSensitive(field)) return true;
    if (JSON.stringify(value).includes(JSON.stringify(REDACTED)))
      faults.push({
        pointer,
        message: `${REDACTED} is what is shown in place of a secret, not the secret`,
        hint: 'Write the secret itself. To keep the one that is stored, do not apply the document.',
      });
    return false;
  });
  const [first] = faults;
  if (first !== undefined)
    throw new CompileError('redacted-value', `${first.pointer}: ${first.message}`, {
      faults,
      ...(first.hint === undefined ? {} : { hint: first.hint }),
    });
}

/** The same error without the texts that may quote a secret: what is wrong with a value often says the value. */
export function withoutValues(error: CompileError, sensitive: readonly string[]): CompileError {
  const isInside = ({ pointer }: Fault) =>
    sensitive.some(known => pointer === known || pointer.startsWith(`${known}/`));
  // Without faults nobody knows what the text is about.
  if (error.faults.length === 0 && sensitive.length > 0)
    return new CompileError(error.code, 'the resource does not fit its type');
  if (!error.faults.some(isInside)) return error;
  const { code } = error;
  const toFault = (fault: Fault) =>
    isInside(fault)
      ? { code, pointer: fault.pointer, message: 'does not fit the type of its field' }
      : { ...fault, code };
  return toCompileError(error.faults.map(toFault));
}
