import { isDigest } from './verify-digest.ts';

/** What a request for `/v2/…` is about. */
export type RegistryRoute =
  | { readonly kind: 'base' }
  | {
      readonly kind: 'get-manifest' | 'put-manifest';
      readonly repository: string;
      readonly reference: string;
    }
  | { readonly kind: 'get-blob'; readonly repository: string; readonly digest: string }
  | { readonly kind: 'list-tags'; readonly repository: string }
  | { readonly kind: 'start-upload'; readonly repository: string }
  | { readonly kind: 'upload'; readonly repository: string; readonly id: string }
  | { readonly kind: 'refused'; readonly status: number; readonly code: string; readonly message: string };

/** https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests */
const REPOSITORY = /^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^\w[\w.-]{0,127}$/;
const PATH = /^\/v2\/(.+)\/(manifests|blobs|tags)\/(.+)$/s;

/** Method and path to a route. HEAD counts as GET. */
export function matchRegistryRoute(method: string, path: string): RegistryRoute {
  const verb = method === 'HEAD' ? 'GET' : method;
  if (path === '/v2' || path === '/v2/') return verb === 'GET' ? { kind: 'base' } : unsupported(method);
  const start = /^\/v2\/(.+)\/blobs\/uploads\/?$/s.exec(path)?.[1];
  const upload = /^\/v2\/(.+)\/blobs\/uploads\/([0-9a-f]{32})$/s.exec(path);
  const [, named = '', what, last = ''] = PATH.exec(path) ?? [];
  const repository = start ?? upload?.[1] ?? named;
  if (what === undefined && start === undefined) return refused(404, 'UNSUPPORTED', 'no such path');
  if (!REPOSITORY.test(repository) || repository.length > 255)
    return refused(400, 'NAME_INVALID', 'a repository name is lower-case words, digits and ._-/');
  if (start !== undefined)
    return verb === 'POST' ? { kind: 'start-upload', repository } : unsupported(method);
  if (upload?.[2] !== undefined)
    return ['GET', 'PATCH', 'PUT', 'DELETE'].includes(verb)
      ? { kind: 'upload', repository, id: upload[2] }
      : unsupported(method);
  return matchContent(verb, repository, what ?? '', last);
}

function matchContent(verb: string, repository: string, what: string, last: string): RegistryRoute {
  if (what === 'tags') {
    if (last !== 'list') return refused(404, 'UNSUPPORTED', 'no such path');
    return verb === 'GET' ? { kind: 'list-tags', repository } : unsupported(verb);
  }
  if (what === 'blobs') {
    if (!isDigest(last)) return refused(400, 'DIGEST_INVALID', `${last.slice(0, 80)} is no digest`);
    return verb === 'GET' ? { kind: 'get-blob', repository, digest: last } : unsupported(verb);
  }
  if (!isDigest(last) && !TAG.test(last))
    return refused(400, 'MANIFEST_INVALID', `${last.slice(0, 80)} is neither a tag nor a digest`);
  if (verb === 'GET') return { kind: 'get-manifest', repository, reference: last };
  if (verb === 'PUT') return { kind: 'put-manifest', repository, reference: last };
  return unsupported(verb);
}

function refused(status: number, code: string, message: string): RegistryRoute {
  return { kind: 'refused', status, code, message };
}

function unsupported(method: string): RegistryRoute {
  return refused(405, 'UNSUPPORTED', `${method} is not supported here`);
}
