import type { DocumentFault } from './document-error.ts';
import { DocumentPart } from './document-part.ts';
import { toMessage } from './error.ts';
import { isPem, parseSignatureKey, type SignatureKey } from './signature-key.ts';
import {
  AUTHORITY_NAME,
  type Authority,
  type NamedKey,
  type SignaturePolicy,
  type SignatureRule,
  toHostName,
} from './signature-policy.ts';

/** Reads the file that a key is in; throws where it cannot. */
export type ReadKeyFile = (path: string) => string;

const MODES = ['require', 'warn', 'off'] as const;
const MAX = { authorities: 100, keys: 16, rules: 200, pemLength: 8192, patternLength: 512 };

/**
 * Reads the setting `signatures`: `{authorities: [{name, kind, keys}], rules: [{pattern, mode, authorities, keys}]}`;
 * a key is PEM, or the path of a file with it. Every fault in it, each with its JSON pointer.
 */
export function parseSignaturePolicy(
  document: unknown,
  readKeyFile: ReadKeyFile,
): SignaturePolicy | DocumentFault[] {
  const root = new DocumentPart(document);
  const fields = root.fields(['authorities', 'rules']);
  const authorities = new Map<string, Authority>();
  for (const item of fields.get('authorities')?.items(MAX.authorities) ?? []) {
    const authority = readAuthority(item, readKeyFile);
    if (authority === undefined) continue;
    if (authorities.has(authority.name))
      item.at('name', authority.name).fault('contradiction', `${authority.name} is there twice`);
    authorities.set(authority.name, authority);
  }
  const rules = fields.get('rules')?.items(MAX.rules) ?? [];
  const read = rules.flatMap(item => readRule(item, authorities, readKeyFile) ?? []);
  return root.faults.length > 0 ? root.faults : { authorities: [...authorities.values()], rules: read };
}

function readAuthority(item: DocumentPart, readKeyFile: ReadKeyFile): Authority | undefined {
  const fields = item.fields(['name', 'kind', 'keys']);
  if (!fields.has('name')) item.missing('name');
  const name = fields.get('name')?.text({
    pattern: AUTHORITY_NAME,
    wants: 'a name: lower-case letters, digits, dots and dashes, at most 63',
  });
  const kind = fields.get('kind');
  if (kind?.oneOf(['key', 'keyless']) === 'keyless')
    kind.fault('not-supported', 'keyless signatures are not verified yet', 'Sign with a key, and list it.');
  else if (!fields.has('keys')) item.missing('keys');
  const keys = readKeys(fields.get('keys'), readKeyFile);
  return name === undefined ? undefined : { name, kind: 'key', keys };
}

function readKeys(part: DocumentPart | undefined, readKeyFile: ReadKeyFile): readonly SignatureKey[] {
  const items = part?.items(MAX.keys) ?? [];
  if (part !== undefined && Array.isArray(part.value) && items.length === 0)
    part.fault('out-of-bounds', 'must not be empty');
  return items.flatMap(item => readKey(item, readKeyFile) ?? []);
}

function readKey(item: DocumentPart, readKeyFile: ReadKeyFile): SignatureKey | undefined {
  const text = item.text({ min: 1, max: MAX.pemLength });
  if (text === undefined) return undefined;
  let pem = text;
  try {
    if (!isPem(text)) pem = readKeyFile(text);
  } catch (error) {
    return item.fault('out-of-bounds', `not PEM, and no file that can be read: ${toMessage(error)}`);
  }
  const key = parseSignatureKey(pem);
  if (typeof key !== 'string') return key;
  return item.fault('out-of-bounds', `${isPem(text) ? 'not a key' : text}: ${key}`);
}

function readRule(
  item: DocumentPart,
  known: ReadonlyMap<string, Authority>,
  readKeyFile: ReadKeyFile,
): SignatureRule | undefined {
  const fields = item.fields(['pattern', 'mode', 'authorities', 'keys']);
  for (const field of ['pattern', 'mode']) if (!fields.has(field)) item.missing(field);
  const pattern = readPattern(fields.get('pattern'));
  const mode = fields.get('mode')?.oneOf(MODES);
  const named = fields.get('authorities')?.items(MAX.authorities) ?? [];
  const keys: NamedKey[] = named.flatMap(part => {
    const authority = known.get(part.text() ?? '');
    if (authority !== undefined) return authority.keys.map(key => ({ authority: authority.name, key }));
    if (typeof part.value === 'string') part.fault('out-of-bounds', `no authority ${part.value} is listed`);
    return [];
  });
  keys.push(...readKeys(fields.get('keys'), readKeyFile).map(key => ({ key })));
  if (mode !== 'off' && !fields.has('authorities') && !fields.has('keys'))
    item.missing('authorities', 'Name who has to sign: authorities: [NAME], or keys: [PEM or FILE].');
  else if (mode !== 'off' && named.length === 0 && !fields.has('keys'))
    fields.get('authorities')?.fault('out-of-bounds', 'must not be empty');
  return pattern === undefined || mode === undefined ? undefined : { pattern, mode, keys };
}

/** A pattern that can match nothing would look like protection. */
function readPattern(part: DocumentPart | undefined): string | undefined {
  const text = part?.text({
    min: 1,
    max: MAX.patternLength,
    pattern: /^[\x21-\x7e]+$/,
    wants: 'a pattern: HOST/REPOSITORY, or the URL of a file, with * and **',
  });
  if (part === undefined || text === undefined) return undefined;
  if (/^(https?|file):\/\//.test(text) || /^\*\*?$/.test(text)) return text;
  const name = text.replace(/^oci:\/\//, '');
  const slash = name.indexOf('/');
  const host = slash < 0 ? name : name.slice(0, slash);
  const path = slash < 0 ? '' : name.slice(slash);
  if (!/[.:*]/.test(host) && host !== 'localhost')
    return part.fault('out-of-bounds', `${host} is no host`, `Write docker.io/${name}, or HOST/${name}.`);
  if (/[:@A-Z]/.test(path))
    return part.fault(
      'out-of-bounds',
      'repositories are in lower case, and a pattern is about a repository, not a tag or digest',
    );
  if (path === '' && !host.endsWith('**'))
    return part.fault('out-of-bounds', 'a host without a repository', `Write ${host}/**.`);
  return `${host.includes('*') ? host.toLowerCase() : toHostName(host)}${path}`;
}
