import protobuf from 'protobufjs';
import type descriptor from 'protobufjs/ext/descriptor.js';

/**
 * Envoy's own mark of a secret, which its config dump honours too: passwords, private keys, inline secrets. The name of
 * the option as a .proto file has it.
 * https://github.com/cncf/xds/blob/main/udpa/annotations/sensitive.proto
 */
const OPTION = '(udpa.annotations.sensitive)';

/** Its number in descriptors, and what we call it there. */
const NUMBER = 76_569_463;
const NAME = 'udpaSensitive';

export function isSensitive(field: protobuf.Field): boolean {
  return field.options?.[OPTION] === true;
}

/** From now on descriptors are read with the mark; the reader knows no options of others by itself. */
export function readMarksOfDescriptors({ FieldOptions }: Pick<typeof descriptor, 'FieldOptions'>): void {
  if (FieldOptions.fields[NAME] === undefined) FieldOptions.add(new protobuf.Field(NAME, NUMBER, 'bool'));
}

/** Gives the fields of a type that came from a descriptor the mark under the name that a .proto file has for it. */
export function translateMarks(type: protobuf.Type): void {
  for (const field of type.fieldsArray)
    if (field.options?.udpa_sensitive === true) field.options[OPTION] = true;
  for (const nested of type.nestedArray) if (nested instanceof protobuf.Type) translateMarks(nested);
}
