import { type KeptWhere, type Login, storeLogin } from './docker-login.ts';
import { createHttpClient, type HttpClient, TIME_LIMITS } from './http-client.ts';
import { ModuleError } from './module-error.ts';
import { type RegistryAccess, toPersonalOptions } from './personal-registry.ts';
import { type AuthRequest, RegistryAuth } from './registry-auth.ts';
import { registryUrl } from './registry-sender.ts';

export interface LoginRequest extends RegistryAccess {
  readonly dockerConfigPath: string;
  /** `HOST[:PORT]` */
  readonly host: string;
  readonly login: Login;
}

export interface LoggedIn {
  readonly keptIn: KeptWhere;
  /** False: the registry asks nobody who they are, so nothing was verified. */
  readonly verified: boolean;
}

/**
 * Asks a registry whether it knows a user, and keeps the login where docker does. Nothing is kept of one that is
 * refused. Throws ModuleError: `unauthorized`, `bad-credentials`, and those of http-client.ts.
 */
export async function logIn(request: LoginRequest): Promise<LoggedIn> {
  const http = createHttpClient(TIME_LIMITS);
  try {
    const verified = await isKnown(http, request);
    const keptIn = await storeLogin(request.dockerConfigPath, request.host, request.login);
    return { keptIn, verified };
  } finally {
    await http.close();
  }
}

/** https://github.com/opencontainers/distribution-spec/blob/main/spec.md#determining-support */
async function isKnown(http: HttpClient, { host, login, ...access }: LoginRequest): Promise<boolean> {
  const { insecureRegistries, registries, clock } = toPersonalOptions(access, host);
  const isPlain = (url: URL) => insecureRegistries().includes(url.host);
  const base = new URL('/v2/', registryUrl({ host }, isPlain));
  const common = {
    mayBePrivate: () => true,
    caOf: (url: URL) => (url.host === base.host ? registries[0]?.ca : undefined),
    signal: new AbortController().signal,
  };
  const ask = async (authorization?: string) => {
    const headers = authorization === undefined ? {} : { authorization };
    const check = (url: URL) => checkPlain(url, base);
    const response = await http.send({ ...common, method: 'GET', url: base, headers, check });
    response.drop();
    return response;
  };
  const first = await ask();
  if (first.status !== 401) {
    if (first.status !== 200) throw noRegistry(host, first.status);
    return false;
  }
  const credential = { kind: 'basic', ...login } as const;
  const auth: AuthRequest = {
    ...common,
    registry: host,
    scope: '',
    credential,
    from: 'what was typed',
    checkRealm: url => checkPlain(url, base),
  };
  const header = await new RegistryAuth(http, clock)
    .answer(first.headers['www-authenticate'], auth)
    .catch(error => {
      throw error instanceof ModuleError && error.code === 'unauthorized' ? refused(host, login) : error;
    });
  const second = header === undefined ? first : await ask(header);
  if (second.status === 401 || second.status === 403) throw refused(host, login);
  if (second.status !== 200) throw noRegistry(host, second.status);
  return true;
}

/** A password goes over plain HTTP only where the registry itself is spoken to so. */
function checkPlain(url: URL, base: URL): void {
  if (url.protocol === 'https:' || (base.protocol === 'http:' && url.hostname === base.hostname)) return;
  throw new ModuleError('redirect-refused', `${url.host} would be given the password over plain HTTP`, {
    hint: `If that is meant: --insecure-registry ${url.host}`,
  });
}

function refused(host: string, { username }: Login): ModuleError {
  return new ModuleError('unauthorized', `${host} does not know ${username} with this password (401)`, {
    hint: 'Nothing was kept. Type it again; many registries want a token instead of the password.',
  });
}

function noRegistry(host: string, status: number): ModuleError {
  return new ModuleError('registry-error', `${host} answers ${status}, and not as a registry does`, {
    hint: 'Check the name: HOST[:PORT], without https:// and without a repository.',
  });
}
