import type { DocumentFault } from './document-error.ts';
import { readMetadata } from './document-metadata.ts';
import { DocumentPart } from './document-part.ts';
import type { JsonObject } from './plugin-spec.ts';
import type { DockerAuths } from './pull-secret.ts';

/** What a document with credentials says. */
export interface PullSecretDocument {
  readonly namespace: string;
  readonly name: string;
  readonly config: DockerAuths;
}

/** A Kubernetes Secret is taken as it is; ours has the same content in the open: `{dockerConfig: {auths: …}}`. */
export const PULL_SECRET_KINDS = [
  { apiVersion: 'v1', kind: 'Secret' },
  { apiVersion: 'attache/v1', kind: 'PullSecret' },
] as const;

const TYPE = 'kubernetes.io/dockerconfigjson';
const ENTRY = '.dockerconfigjson';
const MAX = { auths: 100, keyLength: 512, valueLength: 16_384, textLength: 262_144 };
/** Of an entry of `auths`. https://github.com/docker/cli/blob/master/cli/config/types/authconfig.go */
const FIELDS = ['auth', 'username', 'password', 'email', 'serveraddress', 'identitytoken'];

/**
 * Reads a document with registry credentials; or every fault in it. No fault holds a value of the document, only where
 * it stands: faults are printed and answered.
 */
export function parsePullSecretDocument(document: unknown): PullSecretDocument | DocumentFault[] {
  const root = new DocumentPart(document);
  const kind = typeof document === 'object' && document !== null && 'kind' in document ? document.kind : null;
  const isOurs = kind === 'PullSecret';
  const content = isOurs ? ['dockerConfig'] : ['type', 'data', 'stringData', 'immutable'];
  const fields = root.fields(['apiVersion', 'kind', 'metadata', ...content]);
  if (root.faults.some(fault => fault.pointer === '')) return root.faults;
  checkKind(root, fields, isOurs);
  const metadata = readMetadata(root, fields.get('metadata'), 'plugin');
  const config = isOurs ? readOwn(root, fields) : readSecret(root, fields);
  const auths = config === undefined ? undefined : readAuths(config);
  return auths === undefined || root.faults.length > 0 ? root.faults : { ...metadata, config: { auths } };
}

type Fields = ReadonlyMap<string, DocumentPart>;

function checkKind(root: DocumentPart, fields: Fields, isOurs: boolean): void {
  const wanted = PULL_SECRET_KINDS[isOurs ? 1 : 0];
  for (const field of ['apiVersion', 'kind'] as const) {
    const part = fields.get(field) ?? root.at(field, undefined);
    if (part.value !== wanted[field])
      part.fault('unknown-kind', 'not a secret', `Write ${field}: ${wanted[field]}`);
  }
}

function readOwn(root: DocumentPart, fields: Fields): DocumentPart | undefined {
  const part = fields.get('dockerConfig');
  return part ?? root.missing('dockerConfig', 'Put docker’s config.json there: {auths: {HOST: {auth: …}}}');
}

/** `data` is base64, `stringData` wins over it, as in Kubernetes. */
function readSecret(root: DocumentPart, fields: Fields): DocumentPart | undefined {
  const type = fields.get('type');
  if (type?.value !== TYPE)
    return (type ?? root.at('type', undefined)).fault(
      'not-supported',
      'the only secrets kept here are credentials of registries',
      `Write type: ${TYPE}`,
    );
  const plain = fields.get('stringData')?.fields([ENTRY]).get(ENTRY);
  const coded = fields.get('data')?.fields([ENTRY]).get(ENTRY);
  const part = plain ?? coded;
  if (part === undefined)
    return (fields.get('data') ?? root.at('data', undefined)).missing(
      ENTRY,
      'Put docker’s config.json there.',
    );
  const text = readText(part, MAX.textLength);
  if (text === undefined) return undefined;
  const json = plain === undefined ? decodeBase64(text) : text;
  if (json === undefined) return part.fault('wrong-type', 'is not base64');
  const value = parseJson(json);
  return value === undefined
    ? part.fault('wrong-type', 'is not the JSON of a docker config.json')
    : new DocumentPart(value, part.pointer, part.faults);
}

/** The `auths` of a config; every entry must hold a credential that can be used. */
function readAuths(config: DocumentPart): Readonly<Record<string, JsonObject>> | undefined {
  const { value } = config;
  if (!isObject(value)) return config.fault('wrong-type', 'expected an object with auths');
  for (const helper of ['credsStore', 'credHelpers'])
    if (value[helper] !== undefined && value[helper] !== null)
      config.at(helper, undefined).fault('not-supported', 'a stored secret runs no program', 'Write auths.');
  const part = config.at('auths', value.auths);
  if (!isObject(part.value)) return part.fault('missing-field', 'expected {HOST: {auth: …}}');
  const entries = Object.entries(part.value);
  if (entries.length === 0) return part.fault('out-of-bounds', 'holds no registry');
  if (entries.length > MAX.auths) return part.fault('out-of-bounds', `more than ${MAX.auths} registries`);
  return Object.fromEntries(
    entries.flatMap(([key, entry]) => {
      const read = readEntry(part.at(key, entry), key);
      return read === undefined ? [] : [[key, read]];
    }),
  );
}

function readEntry(part: DocumentPart, key: string): JsonObject | undefined {
  if (key === '' || key.length > MAX.keyLength || /[^\x21-\x7e]/.test(key))
    return part.fault('out-of-bounds', 'the key is no HOST or HOST/REPOSITORY');
  if (!isObject(part.value)) return part.fault('wrong-type', 'expected an object with auth');
  const known: [string, string][] = [];
  for (const [field, value] of Object.entries(part.value)) {
    const at = part.at(field, value);
    if (!FIELDS.includes(field)) at.fault('unknown-field', 'unknown field', `Known: ${FIELDS.join(', ')}`);
    const text = value === null ? undefined : readText(at, MAX.valueLength);
    if (text !== undefined && text !== '') known.push([field, text]);
  }
  const read: JsonObject = Object.fromEntries(known);
  if (hasCredential(read)) return read;
  return part.fault(
    'missing-field',
    'holds neither auth (base64 of USER:PASSWORD) nor username and password nor identitytoken',
  );
}

function hasCredential({ auth, username, password, identitytoken }: JsonObject): boolean {
  if (identitytoken !== undefined || (username !== undefined && password !== undefined)) return true;
  const decoded = typeof auth === 'string' ? decodeBase64(auth) : undefined;
  return decoded !== undefined && decoded.indexOf(':') > 0;
}

/** A text; the fault does not say what stands there instead, which may be a password without quotes. */
function readText(part: DocumentPart, max: number): string | undefined {
  if (typeof part.value !== 'string') return part.fault('wrong-type', 'expected a string', 'Quote it.');
  return part.value.length > max ? part.fault('out-of-bounds', `at most ${max} characters`) : part.value;
}

function decodeBase64(text: string): string | undefined {
  const compact = text.replace(/\s+/g, '');
  return /^[A-Za-z0-9+/_-]+={0,2}$/.test(compact)
    ? Buffer.from(compact, 'base64').toString('utf8')
    : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
