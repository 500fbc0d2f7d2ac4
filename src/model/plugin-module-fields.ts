import type { DocumentPart } from './document-part.ts';
import { toDefined } from './document-part.ts';
import type { EnvVar } from './plugin-spec.ts';
import { isPem, parseSignatureKey } from './signature-key.ts';
import { AUTHORITY_NAME } from './signature-policy.ts';

const SCHEMES = ['oci', 'http', 'https', 'file'];
const HEX64 = /^[0-9a-f]{64}$/;

/** `url` and `sha256`, which must agree where the URL holds a digest too. */
export function readUrl(
  spec: DocumentPart,
  fields: ReadonlyMap<string, DocumentPart>,
): { readonly url: string; readonly sha256?: string } {
  const part = fields.get('url');
  if (part === undefined) spec.missing('url', 'Write url: oci://HOST/REPOSITORY:TAG');
  const url = part?.text({
    min: 1,
    max: 2048,
    pattern: /^[\x21-\x7e]+$/,
    wants: 'a URL: it holds a space or worse',
  });
  if (part !== undefined && url !== undefined) checkScheme(part, url);
  const sha256 = fields
    .get('sha256')
    ?.text({ pattern: HEX64, wants: 'a sha256: 64 lower-case hexadecimal digits, without "sha256:"' });
  const pinned = url === undefined ? undefined : readPinnedDigest(part, url);
  if (pinned !== undefined && sha256 !== undefined && pinned !== sha256)
    fields.get('sha256')?.fault('contradiction', 'differs from the @sha256: of the url');
  return { url: url ?? '', ...(sha256 === undefined ? {} : { sha256 }) };
}

function checkScheme(part: DocumentPart, url: string): void {
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/(.*)$/s.exec(url);
  if (scheme === null) return;
  if (!SCHEMES.includes(scheme[1] ?? ''))
    part.fault('out-of-bounds', `unknown scheme ${scheme[1]}://`, `Known: ${SCHEMES.join('://, ')}://`);
  else if (scheme[2] === '') part.fault('out-of-bounds', 'a scheme with nothing behind it');
}

/** The digest behind `@` of an OCI reference. */
function readPinnedDigest(part: DocumentPart | undefined, url: string): string | undefined {
  if (/^(https?|file):\/\//.test(url)) return undefined;
  const digest = /@([^/]*)$/.exec(url)?.[1];
  if (digest === undefined) return undefined;
  const hex = /^sha256:(.*)$/.exec(digest)?.[1];
  if (hex !== undefined && HEX64.test(hex)) return hex;
  return part?.fault('out-of-bounds', `@${digest} is not @sha256: and 64 lower-case hexadecimal digits`);
}

/** A PEM public key, or the name of an authority; which ones there are the server knows. */
export function readVerificationKey(fields: ReadonlyMap<string, DocumentPart>): string | undefined {
  const part = fields.get('verificationKey');
  const text = part?.text({ min: 1, max: 8192 });
  if (part === undefined || text === undefined) return undefined;
  const fault = checkVerificationKey(text);
  if (fault !== undefined) return part.fault('out-of-bounds', fault);
  const url = fields.get('url')?.value;
  if (typeof url === 'string' && /^(https?|file):\/\//.test(url))
    return part.fault(
      'contradiction',
      'only oci:// modules carry signatures',
      'Use oci://, or sha256 alone.',
    );
  return text;
}

function checkVerificationKey(text: string): string | undefined {
  if (isPem(text)) {
    const key = parseSignatureKey(text);
    return typeof key === 'string' ? key : undefined;
  }
  return AUTHORITY_NAME.test(text)
    ? undefined
    : 'neither a PEM public key nor the name of an authority: lower-case letters, digits, dots and dashes';
}

/** `vmConfig.env`; a name at most once. */
export function readVmConfig(part: DocumentPart | undefined): readonly EnvVar[] | undefined {
  const list = part?.fields(['env']).get('env');
  if (list === undefined) return undefined;
  const seen = new Set<string>();
  return list.items(256).map(item => readVariable(item, seen));
}

function readVariable(item: DocumentPart, seen: Set<string>): EnvVar {
  const fields = item.fields(['name', 'value', 'valueFrom']);
  const namePart = fields.get('name');
  if (namePart === undefined) item.missing('name');
  const name = namePart?.text({ min: 1, max: 256 }) ?? '';
  if (name !== '' && seen.has(name)) namePart?.fault('contradiction', `${name} is set twice`);
  seen.add(name);
  const valueFrom = fields.get('valueFrom')?.oneOf(['INLINE', 'HOST']);
  const value = fields.get('value')?.text({ max: 2048 });
  if (valueFrom === 'HOST' && fields.has('value'))
    fields.get('value')?.fault('contradiction', 'valueFrom: HOST takes no value: it comes from the Envoy');
  return toDefined({ name, value, valueFrom });
}
