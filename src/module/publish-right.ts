import { createHash, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { toMessage } from '../model/error.ts';
import type { Log } from '../model/ports.ts';
import { toPublishToken } from '../model/publish-token.ts';
import { RegistryRefusal } from './registry-refusal.ts';
import type { RegistryRoute } from './registry-route.ts';

export interface PublishRightOptions {
  /** A file with the token; undefined: none is asked for. */
  readonly tokenPath: string | undefined;
  /** Only this machine reaches the port. */
  readonly isLocal: boolean;
  readonly log: Log;
}

/** Throws RegistryRefusal where the request has not the right that it takes. */
export type Authorize = (request: IncomingMessage, route: RegistryRoute) => Promise<void>;

/**
 * Whoever reaches the registry may pull. Pushing and deleting take the token, as password of any user (`docker login`) or as
 * bearer; where none is set, they are for this machine alone. The file is read for each of them, so that a new
 * token counts at once.
 */
export function makePublishRight({ tokenPath, isLocal, log }: PublishRightOptions): Authorize {
  if (tokenPath === undefined)
    return async (_request, route) => {
      if (isLocal || route.kind === 'refused' || route.right === 'pull') return;
      const way = 'start attache serve with --publish-token FILE, or with its API on loopback';
      throw new RegistryRefusal(403, 'DENIED', `nobody may push here: ${way}`);
    };
  return async (request, route) => {
    if (route.kind === 'refused') return;
    // Many clients ask here, and only here, whether to send what they have.
    if (route.right === 'pull' && route.kind !== 'base') return;
    if (isSame(await readToken(tokenPath, log), passwordOf(request))) return;
    const challenge = { 'www-authenticate': 'Basic realm="attache"' };
    const message = 'log in with the publish token as password, e.g. docker login --username attache';
    throw new RegistryRefusal(401, 'UNAUTHORIZED', message, challenge);
  };
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
