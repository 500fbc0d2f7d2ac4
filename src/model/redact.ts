import { REDACTED } from './show-resource.ts';

/** A value for strangers' eyes. */
export interface Redacted<T> {
  readonly value: T;
  /** JSON pointers (RFC 6901) to what was blotted out, wholly or in part. */
  readonly redacted: readonly string[];
}

/** Names of fields and headers whose text is a secret, wherever they stand. */
const SECRET_NAME =
  /pass(word|wd|phrase)|secret|token|credential|private-?_?key|api-?_?key|authori[sz]ation|cookie|signature-?_?key/i;
/** They name a secret, and are none. */
const NAMES_OF_SECRETS = new Set(['imagePullSecret', 'secretName', 'tokenHeader', 'failedCookie']);
/** What plugins are given is theirs: nobody else knows what in it is secret. */
const OF_PLUGINS = new Set(['pluginConfig', 'env', 'environmentVariables']);

/**
 * Parts of a text that are secret wherever it stands: log lines, messages, URLs. Each begins with what is found at once: a
 * pattern that could begin anywhere would take the square of the time.
 */
const SECRET_TEXT: readonly (readonly [pattern: RegExp, instead: string])[] = [
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)/g, REDACTED],
  [/\b(Bearer|Basic)\s+[\w.~+/=-]{6,}/gi, `$1 ${REDACTED}`],
  [/:\/\/[^/\s"'@]+@/g, `://${REDACTED}@`],
  [/\bcap=[0-9a-f]{16,}/g, `cap=${REDACTED}`],
  // Tokens of people and of nodes: what lists show of them stays.
  [/(att_[0-9a-f]{8})_[0-9a-f]{64}/g, `$1_${REDACTED}`],
  [/(?<![\w-])(atn_[\w-]+)\.[\w-]{43}/g, `$1.${REDACTED}`],
];

/** Blots out secrets, configurations of plugins, and what looks like either. Shape and names stay. */
export function redact<T>(value: T): Redacted<T> {
  const redacted: string[] = [];
  return { value: walk(value, { at: '', redacted, blot: false }) as T, redacted };
}

interface Walk {
  readonly at: string;
  readonly redacted: string[];
  /** Every text below is blotted out. */
  readonly blot: boolean;
}

function walk(value: unknown, walkState: Walk): unknown {
  if (typeof value === 'string') return toText(value, walkState);
  if (Array.isArray(value)) return value.map((part, i) => walk(part, below(walkState, String(i))));
  if (!isObject(value)) return value;
  const isHeader = isSecretHeader(value);
  const parts = Object.entries(value).map(([key, part]) => {
    const inner = below(walkState, key);
    const hidden = (isHeader && key === 'value') || isSecretField(key, part) || isOfPlugin(key, value);
    return [key, walk(part, hidden ? { ...inner, blot: true } : key === '@type' ? keep(inner) : inner)];
  });
  return Object.fromEntries(parts);
}

function toText(text: string, { at, redacted, blot }: Walk): string {
  const shown = blot && text !== '' ? REDACTED : blotParts(text);
  // What is blotted out already was said where that was done.
  if (shown !== text) redacted.push(at);
  return shown;
}

/** A text without the parts that are secret wherever they stand. */
export function blotParts(text: string): string {
  return SECRET_TEXT.reduce((shown, [pattern, instead]) => shown.replace(pattern, instead), text);
}

/** A text, or a DataSource that holds one; an object of that name is looked into. */
function isSecretField(key: string, value: unknown): boolean {
  if (!SECRET_NAME.test(key) || NAMES_OF_SECRETS.has(key)) return false;
  return (
    typeof value === 'string' || (isObject(value) && ('inlineString' in value || 'inlineBytes' in value))
  );
}

/** Envoy's HeaderValue and the like. */
function isSecretHeader(value: Readonly<Record<string, unknown>>): boolean {
  const name = value.key ?? value.name;
  return typeof name === 'string' && SECRET_NAME.test(name) && typeof value.value === 'string';
}

/** `configuration` beside `vmConfig` is that of Envoy's Wasm messages. */
function isOfPlugin(key: string, parent: Readonly<Record<string, unknown>>): boolean {
  return OF_PLUGINS.has(key) || (key === 'configuration' && 'vmConfig' in parent);
}

/** The type of a message that is blotted out is none of its secrets. */
function keep(walkState: Walk): Walk {
  return { ...walkState, blot: false };
}

function below(walkState: Walk, key: string): Walk {
  return { ...walkState, at: `${walkState.at}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}` };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
