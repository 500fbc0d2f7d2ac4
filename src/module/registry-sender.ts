import { isListed } from '../model/address-policy.ts';
import { DEFAULT_REGISTRY } from '../model/module-reference.ts';
import { listInsecure, listTrusted } from '../model/registry-settings.ts';
import type { HttpClient, HttpResponse } from './http-client.ts';
import { ModuleError } from './module-error.ts';
import { type AuthRequest, type RegistryAuth, refusedCredential } from './registry-auth.ts';
import type { RegistryOptions, RegistryRequest, Repository } from './registry-client.ts';
import { chooseCredential, type PullCredentials } from './registry-credentials.ts';

/** Asks just this place; any answer but 401, which is answered with credentials once. */
export type SendTo = (
  place: Repository,
  request: Omit<RegistryRequest, 'repository'>,
  pull: PullCredentials | undefined,
) => Promise<HttpResponse>;

/** Knows how each host may be spoken to, and who we are there. */
export function createSender(http: HttpClient, auth: RegistryAuth, options: RegistryOptions): SendTo {
  const { registries } = options;
  const insecure = listInsecure(registries);
  const trusted = [...options.allowPrivateHosts, ...listTrusted(registries)];
  const isPlain = (url: URL) => isListed(url, [...options.insecureRegistries(), ...insecure]);
  const mayBePrivate = (url: URL) => isPlain(url) || isListed(url, trusted);
  const caOf = (url: URL) => registries.find(({ prefix, ca }) => ca && isListed(url, [prefix]))?.ca;
  const check = (url: URL) => {
    if (url.protocol === 'https:' || isPlain(url)) return;
    throw new ModuleError('redirect-refused', `${url.host} would be spoken to over plain HTTP`, {
      hint: `If that is meant, start the server with --insecure-registry ${url.host}.`,
    });
  };

  return async (place, request, pull) => {
    const { signal, actions = 'pull' } = request;
    const registry = registryUrl(place, isPlain);
    const found = await chooseCredential(pull, options, place.host, place.repository);
    const authRequest: AuthRequest = {
      registry: place.host,
      scope: `repository:${place.repository}:${actions}`,
      ...found,
      // A token service of a registry on plain HTTP may be beside it, on another port.
      checkRealm: url => checkRealm(url, registry, check),
      mayBePrivate: url => mayBePrivate(url) || isBeside(url, registry, mayBePrivate),
      caOf,
      signal,
    };
    const attempt = (authorization: string | undefined) =>
      http.send({
        method: request.method ?? 'GET',
        url:
          request.path instanceof URL
            ? request.path
            : new URL(`/v2/${place.repository}/${request.path}`, registry),
        headers: { ...request.headers, ...(authorization === undefined ? {} : { authorization }) },
        ...(request.body === undefined ? {} : { body: request.body }),
        check,
        mayBePrivate,
        caOf,
        signal,
      });
    const response = await attempt(auth.known(authRequest));
    if (response.status !== 401) return response;
    response.drop();
    const authorization = await auth.answer(response.headers['www-authenticate'], authRequest);
    if (authorization === undefined) throw refusedCredential(authRequest);
    const second = await attempt(authorization);
    if (second.status !== 401) return second;
    second.drop();
    throw refusedCredential(authRequest);
  };
}

/** The default registry answers under another name than it is written with. */
export function registryUrl({ host }: Pick<Repository, 'host'>, isPlain: (url: URL) => boolean): URL {
  const plain = new URL(`http://${host}`);
  if (isPlain(plain)) return plain;
  return new URL(`https://${host === DEFAULT_REGISTRY ? `registry-1.${DEFAULT_REGISTRY}` : host}`);
}

function checkRealm(realm: URL, registry: URL, check: (url: URL) => void): void {
  if (realm.protocol === 'http:' && registry.protocol === 'http:' && realm.hostname === registry.hostname)
    return;
  check(realm);
}

function isBeside(url: URL, registry: URL, mayBePrivate: (url: URL) => boolean): boolean {
  return url.hostname === registry.hostname && mayBePrivate(registry);
}
