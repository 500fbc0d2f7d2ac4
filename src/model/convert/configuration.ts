import { type DraftField, toField } from './plugin-draft.ts';
import { isObject, type SourcePart } from './source-part.ts';

const STRING_VALUE = 'type.googleapis.com/google.protobuf.StringValue';
const BYTES_VALUE = 'type.googleapis.com/google.protobuf.BytesValue';
const STRUCT = 'type.googleapis.com/google.protobuf.Struct';

/**
 * A configuration in any of the forms that Envoy takes as the `pluginConfig` that the plugin gets the same of: JSON
 * text in a string, a StringValue or BytesValue, a Struct, or just an object. Text that is no JSON object is an error:
 * the plugin would start with something else than before.
 */
export function readConfiguration(part: SourcePart | undefined): DraftField | undefined {
  if (part === undefined) return undefined;
  if (typeof part.value === 'string') return readText(part, part.value);
  const type = part.get('@type');
  if (type === undefined) return isObject(part.value) ? toField(part) : refuseType(part);
  const value = part.get('value');
  if (value === undefined) return undefined;
  switch (type.value) {
    case STRING_VALUE:
      return typeof value.value === 'string' ? readText(value, value.value) : refuseType(value);
    case BYTES_VALUE:
      return typeof value.value === 'string' ? readText(value, decodeBase64(value.value)) : refuseType(value);
    case STRUCT:
      return isObject(value.value) ? toField(value) : refuseType(value);
    default:
      type.refuse(
        'text-configuration',
        'a configuration of this type reaches the plugin as encoded bytes, which a JSON object cannot be',
        'Have the plugin read JSON.',
      );
      return undefined;
  }
}

function readText(part: SourcePart, text: string): DraftField | undefined {
  if (text.trim() === '') return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    // Below: what it says is the plugin's business, and it may be a secret.
  }
  if (!isObject(parsed)) return refuseType(part);
  if (holdsUnsafeNumber(parsed))
    part.warn(
      'holds a number with more than 15 digits, which is rounded',
      'Write it in quotes, if the plugin reads that.',
    );
  return toField(part, parsed);
}

function refuseType(part: SourcePart): undefined {
  return part.refuse(
    'text-configuration',
    'the configuration is no JSON object, and pluginConfig is one',
    'Have the plugin read a JSON object, or take the text from a variable of vmConfig.env.',
  );
}

function decodeBase64(text: string): string {
  return Buffer.from(text, 'base64').toString('utf8');
}

function holdsUnsafeNumber(value: unknown): boolean {
  if (typeof value === 'number') return Number.isInteger(value) && !Number.isSafeInteger(value);
  return typeof value === 'object' && value !== null && Object.values(value).some(holdsUnsafeNumber);
}
