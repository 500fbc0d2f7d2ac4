import { createHash, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { findDenial } from '../model/access.ts';
import { FIRST_TOKEN, isTokenLike } from '../model/api-token.ts';
import { NOBODY } from '../model/audit.ts';
import { toMessage } from '../model/error.ts';
import type { Log } from '../model/ports.ts';
import { toPublishToken } from '../model/publish-token.ts';
import type { CheckToken } from '../model/token-finding.ts';
import { RegistryRefusal } from './registry-refusal.ts';
import type { RegistryRoute } from './registry-route.ts';

export interface PublishRightOptions {
  /** A file with a token that may push everything; undefined: there is none. */
  readonly tokenPath: string | undefined;
  /** Looks tokens of the API up. */
  readonly checkToken: CheckToken;
  /** False, and no `tokenPath`: whoever reaches the port may push. */
  readonly asksTokens: boolean;
  readonly rootNamespace: string;
  readonly log: Log;
}

/**
 * Who it is that pushes or deletes; of a pull nobody asks. Throws RegistryRefusal where the request has not the right that
 * it takes.
 */
export type Authorize = (request: IncomingMessage, route: RegistryRoute) => Promise<string>;

/** The role that a token of the API needs to push. */
const PUSHER = 'deployer';
/** Whoever has the publish token. */
const PUBLISH_TOKEN = 'publish token';

/**
 * Whoever reaches the registry may pull. Pushing and deleting take a token, as password of any user (`docker login`) or
 * as bearer: the publish token, whose file is read for each of them, so that a new one counts at once; or one of
 * the API with the role deployer. Where neither is asked for, they are for this machine alone; a token of the API that
 * is sent counts there too.
 */
export function makePublishRight(options: PublishRightOptions): Authorize {
  const { tokenPath, asksTokens, log } = options;
  const isOpen = tokenPath === undefined && !asksTokens;
  return async (request, route) => {
    if (route.kind === 'refused') return NOBODY;
    // Many clients ask here, and only here, whether to send what they have.
    if (route.right === 'pull' && route.kind !== 'base') return NOBODY;
    const given = passwordOf(request);
    if (given !== undefined && isTokenLike(given)) return requireRole(options, route, given);
    if (isOpen) return FIRST_TOKEN;
    if (tokenPath !== undefined && isSame(await readToken(tokenPath, log), given)) return PUBLISH_TOKEN;
    throw unauthorized('log in with a token as password, e.g. docker login --username attache');
  };
}

async function requireRole(
  { checkToken, rootNamespace }: PublishRightOptions,
  route: Exclude<RegistryRoute, { readonly kind: 'refused' }>,
  given: string,
): Promise<string> {
  const found = await checkToken(given);
  if (found.kind !== 'good') throw unauthorized('the token is not known, was revoked, or has expired');
  const { token } = found;
  if (!('repository' in route)) return token.name;
  const denial = findDenial(token, PUSHER, { kind: 'repository', name: route.repository }, rootNamespace);
  if (denial === undefined) return token.name;
  const why = denial.by === 'role' ? `it takes the role ${denial.needs}, and has ${token.role}` : denial.text;
  throw new RegistryRefusal(403, 'DENIED', `the token ${token.name} may not push here: ${why}`);
}

function unauthorized(message: string): RegistryRefusal {
  return new RegistryRefusal(401, 'UNAUTHORIZED', message, { 'www-authenticate': 'Basic realm="attache"' });
}

async function readToken(path: string, log: Log): Promise<string> {
  try {
    return toPublishToken(await readFile(path, 'utf8'));
  } catch (error) {
    log.error({ path, error: toMessage(error) }, 'nobody can push: the publish token cannot be read');
    throw new RegistryRefusal(
      403,
      'DENIED',
      'nobody may push now: the publish token of the server cannot be read',
    );
  }
}

function passwordOf({ headers }: IncomingMessage): string | undefined {
  const [, scheme = '', value = ''] = /^(basic|bearer) +(\S+)$/i.exec(headers.authorization ?? '') ?? [];
  if (scheme.toLowerCase() === 'bearer') return value;
  const pair = Buffer.from(value, 'base64').toString();
  return pair.includes(':') ? pair.slice(pair.indexOf(':') + 1) : undefined;
}

function isSame(token: string, given: string | undefined): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return given !== undefined && timingSafeEqual(digest(token), digest(given));
}
