import { isDigest } from './verify-digest.ts';

/** What a request for `/v2/…` is about, and the right that it takes. */
export type RegistryRoute =
  | { readonly kind: 'base' | 'list-repositories'; readonly right: 'pull' }
  | Of<'get-manifest', 'pull', { readonly reference: string }>
  | Of<'put-manifest', 'push', { readonly reference: string }>
  | Of<'delete-manifest', 'delete', { readonly reference: string }>
  | Of<'get-blob', 'pull', { readonly digest: string }>
  | Of<'delete-blob', 'delete', { readonly digest: string }>
  | Of<'list-tags', 'pull'>
  | Of<'list-referrers', 'pull', { readonly digest: string }>
  | Of<'start-upload', 'push'>
  | Of<'upload', 'push', { readonly id: string }>
  | { readonly kind: 'refused'; readonly status: number; readonly code: string; readonly message: string };

/** Publishing is a right of its own, and so is taking away. */
export type RegistryRight = 'pull' | 'push' | 'delete';

type Of<Kind extends string, Right extends RegistryRight, More = unknown> = More & {
  readonly kind: Kind;
  readonly right: Right;
  readonly repository: string;
};

/** https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests */
const REPOSITORY = /^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^\w[\w.-]{0,127}$/;
const PATH = /^\/v2\/(.+)\/(manifests|blobs|tags|referrers)\/(.+)$/s;

export function isTag(text: string): boolean {
  return TAG.test(text);
}

/** Method and path to a route. HEAD counts as GET. */
export function matchRegistryRoute(method: string, path: string): RegistryRoute {
  const verb = method === 'HEAD' ? 'GET' : method;
  const plain = decode(path);
  if (plain === '/v2' || plain === '/v2/')
    return verb === 'GET' ? { kind: 'base', right: 'pull' } : unsupported(method);
  if (plain === '/v2/_catalog')
    return verb === 'GET' ? { kind: 'list-repositories', right: 'pull' } : unsupported(method);
  const start = /^\/v2\/(.+)\/blobs\/uploads\/?$/s.exec(plain)?.[1];
  const upload = /^\/v2\/(.+)\/blobs\/uploads\/([0-9a-f]{32})$/s.exec(plain);
  const [, named = '', what, last = ''] = PATH.exec(plain) ?? [];
  const repository = start ?? upload?.[1] ?? named;
  if (what === undefined && start === undefined) return refused(404, 'UNSUPPORTED', 'no such path');
  if (!REPOSITORY.test(repository) || repository.length > 255)
    return refused(400, 'NAME_INVALID', 'a repository name is lower-case words, digits and ._-/');
  if (start !== undefined)
    return verb === 'POST' ? { kind: 'start-upload', right: 'push', repository } : unsupported(method);
  if (upload?.[2] !== undefined)
    return ['GET', 'PATCH', 'PUT', 'DELETE'].includes(verb)
      ? { kind: 'upload', right: 'push', repository, id: upload[2] }
      : unsupported(method);
  return matchContent(verb, repository, what ?? '', last);
}

function matchContent(verb: string, repository: string, what: string, last: string): RegistryRoute {
  switch (what) {
    case 'tags':
      if (last !== 'list') return refused(404, 'UNSUPPORTED', 'no such path');
      return verb === 'GET' ? { kind: 'list-tags', right: 'pull', repository } : unsupported(verb);
    case 'referrers':
      if (!isDigest(last)) return noDigest(last);
      if (verb !== 'GET') return unsupported(verb);
      return { kind: 'list-referrers', right: 'pull', repository, digest: last };
    case 'blobs':
      if (!isDigest(last)) return noDigest(last);
      if (verb === 'GET') return { kind: 'get-blob', right: 'pull', repository, digest: last };
      if (verb === 'DELETE') return { kind: 'delete-blob', right: 'delete', repository, digest: last };
      return unsupported(verb);
    default:
      return matchManifest(verb, repository, last);
  }
}

function matchManifest(verb: string, repository: string, reference: string): RegistryRoute {
  if (reference.includes(':') && !isDigest(reference)) return noDigest(reference);
  if (!isDigest(reference) && !isTag(reference))
    return refused(400, 'MANIFEST_INVALID', `${reference.slice(0, 80)} is neither a tag nor a digest`);
  if (verb === 'GET') return { kind: 'get-manifest', right: 'pull', repository, reference };
  if (verb === 'PUT') return { kind: 'put-manifest', right: 'push', repository, reference };
  if (verb === 'DELETE') return { kind: 'delete-manifest', right: 'delete', repository, reference };
  return unsupported(verb);
}

/** Some clients write the colon of a digest as %3A. What does not decode matches nothing. */
function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return '';
  }
}

function noDigest(text: string): RegistryRoute {
  return refused(400, 'DIGEST_INVALID', `${text.slice(0, 80)} is no digest: sha256 or sha512, lower case`);
}

function refused(status: number, code: string, message: string): RegistryRoute {
  return { kind: 'refused', status, code, message };
}

function unsupported(method: string): RegistryRoute {
  return refused(405, 'UNSUPPORTED', `${method} is not supported here`);
}
