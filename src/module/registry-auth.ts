import { createHash } from 'node:crypto';
import type { Clock } from '../model/ports.ts';
import { type AuthChallenge, parseChallenges } from './auth-challenge.ts';
import type { Credential } from './docker-config.ts';
import type { HttpClient, HttpResponse } from './http-client.ts';
import { ModuleError } from './module-error.ts';
import { readBounded } from './read-bounded.ts';

/** What a token is asked for. */
export interface AuthRequest {
  /** `HOST[:PORT]` as in the reference. */
  readonly registry: string;
  /** `repository:NAME:pull`; empty: of nothing in particular, to see whether a login is known. */
  readonly scope: string;
  readonly credential: Credential | undefined;
  /** Whose credential it is, or would be: `the server`, `pull secret default/regcred`. */
  readonly from: string;
  readonly checkRealm: (url: URL) => void;
  readonly mayBePrivate: (url: URL) => boolean;
  readonly caOf: (url: URL) => string | undefined;
  readonly signal: AbortSignal;
}

interface Token {
  readonly header: string;
  readonly expiresAt: number;
}

const MAX_ANSWER_BYTES = 64 << 10;

/** Answers 401 challenges, and remembers tokens until 80 % of their life is over. */
export class RegistryAuth {
  readonly #http: HttpClient;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #tokens = new Map<string, Token>();

  constructor(http: HttpClient, clock: Pick<Clock, 'now'>) {
    this.#http = http;
    this.#clock = clock;
  }

  /** An Authorization header that worked before, or undefined. */
  known(request: AuthRequest): string | undefined {
    const token = this.#tokens.get(toKey(request));
    return token !== undefined && token.expiresAt > this.#clock.now() ? token.header : undefined;
  }

  /**
   * The header that answers a 401: Bearer if offered, else Basic. Undefined: there is nothing to answer with.
   * https://distribution.github.io/distribution/spec/auth/token/
   */
  async answer(
    challenge: string | readonly string[] | undefined,
    request: AuthRequest,
  ): Promise<string | undefined> {
    this.#tokens.delete(toKey(request));
    const challenges = parseChallenges(challenge);
    const bearer = challenges.find(one => one.scheme === 'bearer' && one.parameters.realm !== undefined);
    if (bearer !== undefined) return this.#fetchToken(bearer, request);
    const basic = challenges.some(({ scheme }) => scheme === 'basic');
    if (!basic || request.credential?.kind !== 'basic') return undefined;
    return this.#keep(request, { header: toBasic(request.credential), expiresAt: Number.POSITIVE_INFINITY });
  }

  async #fetchToken({ parameters }: AuthChallenge, request: AuthRequest): Promise<string> {
    const realm = parameters.realm ?? '';
    if (!URL.canParse(realm)) throw badAnswer(request, `its realm ${JSON.stringify(realm)} is no URL`);
    const response = await this.#askForToken(new URL(realm), parameters.service, request);
    if (response.status === 401 || response.status === 403) {
      response.drop();
      throw refusedCredential(request);
    }
    const answer = await readToken(response, request);
    const expiresAt = this.#clock.now() + answer.lifeSeconds * 800;
    return this.#keep(request, { header: `Bearer ${answer.token}`, expiresAt });
  }

  async #askForToken(realm: URL, service: string | undefined, request: AuthRequest): Promise<HttpResponse> {
    const { credential, scope, checkRealm: check, mayBePrivate, caOf, signal } = request;
    const common = { check, mayBePrivate, caOf, signal };
    if (credential?.kind === 'identity-token') {
      const form = new URLSearchParams({
        grant_type: 'refresh_token',
        refresh_token: credential.token,
        client_id: 'attache',
        scope,
        ...(service === undefined ? {} : { service }),
      });
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      return this.#http.send({ ...common, method: 'POST', url: realm, headers, body: form.toString() });
    }
    const url = new URL(realm);
    if (service !== undefined) url.searchParams.set('service', service);
    if (scope !== '') url.searchParams.append('scope', scope);
    const headers: Record<string, string> =
      credential === undefined ? {} : { authorization: toBasic(credential) };
    return this.#http.send({ ...common, method: 'GET', url, headers });
  }

  #keep(request: AuthRequest, token: Token): string {
    this.#tokens.set(toKey(request), token);
    return token.header;
  }
}

async function readToken(
  response: HttpResponse,
  request: AuthRequest,
): Promise<{ readonly token: string; readonly lifeSeconds: number }> {
  if (response.status !== 200) {
    response.drop();
    throw badAnswer(request, `its token service answers ${response.status}`);
  }
  const text = (await readBounded(response.body, MAX_ANSWER_BYTES, 'the token answer')).toString('utf8');
  let value: { token?: unknown; access_token?: unknown; expires_in?: unknown } | null;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw badAnswer(request, 'its token service does not answer JSON', cause);
  }
  const token = value?.token ?? value?.access_token;
  if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token))
    throw badAnswer(request, 'its token service gave no token');
  const life = value?.expires_in;
  return { token, lifeSeconds: typeof life === 'number' && life > 0 ? life : 60 };
}

/** Nobody else's token: a credential has its own entries. */
function toKey({ registry, scope, credential }: AuthRequest): string {
  const id = createHash('sha256')
    .update(JSON.stringify(credential ?? null))
    .digest('hex');
  return JSON.stringify([registry, scope, id]);
}

function toBasic(credential: Credential & { readonly kind: 'basic' }): string {
  return `Basic ${Buffer.from(`${credential.username}:${credential.password}`).toString('base64')}`;
}

export function refusedCredential({ registry, scope, credential, from }: AuthRequest): ModuleError {
  const repository = scope.split(':')[1] ?? '';
  const who =
    credential === undefined
      ? `without credentials${from.includes(',') ? ` (${from.replace(/^the server, and /, '')})` : ''}`
      : `the credentials of ${from}`;
  const logIn = from.startsWith('pull secret')
    ? 'Correct it, and apply it again.'
    : `Renew them: attache registry login ${registry}`;
  const first = scope.endsWith('push')
    ? `Pushing takes a login: attache registry login ${registry}`
    : `The repository is missing or private. Name a pull secret (imagePullSecret), or log the server in: docker login ${registry}`;
  return new ModuleError('unauthorized', `${registry} refuses ${who} for ${repository} (401)`, {
    hint: credential === undefined ? first : logIn,
  });
}

function badAnswer({ registry }: AuthRequest, why: string, cause?: unknown): ModuleError {
  return new ModuleError('registry-error', `${registry} asks for a token, but ${why}`, {
    cause,
    hint: 'Check the registry. It is tried again.',
  });
}
