import type { IncomingHttpHeaders } from 'node:http';
import { type ApiToken, FIRST_TOKEN } from '../../model/api-token.ts';
import type { Caller } from '../../model/caller.ts';
import { EVERYTHING } from '../../model/scope.ts';
import type { CheckToken } from '../../model/token-finding.ts';
import { ApiError } from '../api-error.ts';
import { toTime } from '../schema/metadata.ts';

/** How the API knows who calls. */
export interface ApiAuth {
  /** False: only this machine reaches the port, and who comes without a token is admin. */
  readonly asksTokens: boolean;
  readonly checkToken: CheckToken;
}

/** Where a request comes from. */
export type Origin = Pick<Caller, 'address' | 'requestId'>;

const HINT = 'Send Authorization: Bearer TOKEN; attache takes it from $ATTACHE_TOKEN or $ATTACHE_TOKEN_FILE.';

/**
 * Whose request it is. A token that was sent counts, also where none is asked for; what no token gives is never made
 * up from the peer's address. Throws ApiError `unauthenticated`.
 */
export async function authenticate(
  { asksTokens, checkToken }: ApiAuth,
  { authorization }: Pick<IncomingHttpHeaders, 'authorization'>,
  origin: Origin,
): Promise<Caller> {
  if (authorization === undefined) {
    if (asksTokens)
      throw new ApiError('unauthenticated', 'this takes a token, and none was sent', { hint: HINT });
    return { ...origin, who: FIRST_TOKEN, role: 'admin', scope: EVERYTHING, token: undefined };
  }
  const text = /^Bearer +(\S+) *$/i.exec(authorization)?.[1];
  if (text === undefined)
    throw new ApiError('unauthenticated', 'the Authorization header is not Bearer and a token', {
      hint: HINT,
    });
  const found = await checkToken(text);
  switch (found.kind) {
    case 'good':
      return { ...origin, ...toGrant(found.token), who: found.token.name, token: found.token };
    case 'expired':
      throw new ApiError('unauthenticated', toExpiredText(found.token), {
        hint: 'An admin makes another one: attache token create.',
      });
    case 'unknown':
      throw new ApiError('unauthenticated', 'the token is not known here, or was revoked', {
        hint: 'attache get tokens, as admin, lists those that there are.',
      });
    default:
      return found satisfies never;
  }
}

function toGrant({ role, scope }: ApiToken): Pick<Caller, 'role' | 'scope'> {
  return { role, scope };
}

function toExpiredText({ name, expiresAt }: ApiToken): string {
  return `the token ${name} expired${expiresAt === undefined ? '' : ` at ${toTime(expiresAt)}`}`;
}

/** RFC 6750, section 3: what a 401 says of how to ask. */
export function toChallenge({ authorization }: Pick<IncomingHttpHeaders, 'authorization'>): string {
  return authorization === undefined
    ? 'Bearer realm="attache"'
    : 'Bearer realm="attache", error="invalid_token"';
}
