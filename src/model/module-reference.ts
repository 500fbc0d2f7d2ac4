import { AttacheError } from './error.ts';

/** Where a module comes from, as the URL of a plugin says it. */
export type ModuleReference = OciReference | HttpReference | FileReference;

export interface OciReference {
  readonly scheme: 'oci';
  /** `HOST` or `HOST:PORT`, an IPv6 address in brackets. */
  readonly host: string;
  readonly repository: string;
  /** What is asked for where there is no digest; `latest` when neither was written. */
  readonly tag: string | undefined;
  /** `sha256:<hex>` of an index or manifest; wins over the tag. */
  readonly digest: string | undefined;
}

export interface HttpReference {
  readonly scheme: 'http' | 'https';
  readonly url: string;
}

export interface FileReference {
  readonly scheme: 'file';
  readonly path: string;
}

/** `bad-reference`: the URL names no module. The hint shows a good one. */
export class ModuleReferenceError extends AttacheError<'bad-reference'> {}

/** The registry that names without a host mean, as for every OCI client. */
export const DEFAULT_REGISTRY = 'docker.io';

const HOST = /^([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?$/;
/** https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests */
const REPOSITORY = /^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^\w[\w.-]{0,127}$/;
const DIGEST = /^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

/**
 * Reads `oci://HOST/REPOSITORY[:TAG][@sha256:…]`, the same without a scheme, `http(s)://…` or `file://…`. Only these
 * four prefixes count as schemes, so that `host:5000/repository` works. Throws ModuleReferenceError.
 */
export function parseModuleReference(url: string): ModuleReference {
  const [, scheme, rest = ''] = /^(oci|http|https|file):\/\/(.*)$/s.exec(url) ?? [undefined, 'oci', url];
  switch (scheme) {
    case 'http':
    case 'https':
      return parseHttp(url, scheme);
    case 'file':
      return parseFile(url, rest);
    default:
      return parseOci(url, rest);
  }
}

/** `HOST/REPOSITORY[:TAG][@DIGEST]` */
function parseOci(url: string, text: string): OciReference {
  const [name = '', digest, ...more] = text.split('@');
  if (more.length > 0) throw bad(url, 'it holds more than one @');
  if (digest !== undefined && !DIGEST.test(digest))
    throw bad(url, `@${digest} is not @sha256: and 64 lower-case hexadecimal digits`);
  const { host, path } = splitHost(name);
  const colon = path.lastIndexOf(':');
  const repository = colon < 0 ? path : path.slice(0, colon);
  const tag = colon < 0 ? undefined : path.slice(colon + 1);
  if (!HOST.test(host) || Number(/:(\d+)$/.exec(host)?.[1] ?? 0) > 65535)
    throw bad(url, `${JSON.stringify(host)} is no registry host`);
  if (!REPOSITORY.test(repository) || repository.length > 255)
    throw bad(url, `${JSON.stringify(repository)} is no repository name: lower-case words, digits and ._-/`);
  if (tag !== undefined && !TAG.test(tag)) throw bad(url, `${JSON.stringify(tag)} is no tag`);
  return {
    scheme: 'oci',
    host,
    repository,
    tag: tag ?? (digest === undefined ? 'latest' : undefined),
    digest,
  };
}

/** What stands before the first slash is a host when it has a dot or a colon, or is localhost. */
function splitHost(name: string): { readonly host: string; readonly path: string } {
  const slash = name.indexOf('/');
  const first = name.slice(0, Math.max(0, slash));
  if (slash > 0 && (/[.:]/.test(first) || first === 'localhost'))
    return { host: first, path: name.slice(slash + 1) };
  return { host: DEFAULT_REGISTRY, path: slash < 0 ? `library/${name}` : name };
}

function parseHttp(url: string, scheme: 'http' | 'https'): HttpReference {
  if (!URL.canParse(url)) throw bad(url, 'it is no URL');
  const { username, password, hash } = new URL(url);
  if (username !== '' || password !== '') throw bad(url, 'a URL must not hold credentials');
  if (hash !== '') throw bad(url, 'a fragment (#…) has no meaning here');
  return { scheme, url };
}

function parseFile(url: string, path: string): FileReference {
  if (!path.startsWith('/') || path.includes('\0'))
    throw bad(url, 'file:// is followed by an absolute path on the control plane');
  return { scheme: 'file', path };
}

function bad(url: string, why: string): ModuleReferenceError {
  return new ModuleReferenceError('bad-reference', `${url}: ${why}`, {
    hint: 'Write oci://HOST/REPOSITORY:TAG, https://HOST/PATH or file:///PATH.',
  });
}
