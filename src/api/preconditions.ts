import { createHash } from 'node:crypto';
import { ApiError } from './api-error.ts';

/** The conditional headers of a request. https://www.rfc-editor.org/rfc/rfc9110#section-13.1 */
export interface Preconditions {
  readonly ifMatch: string | undefined;
  readonly ifNoneMatch: string | undefined;
}

/** The strong entity tag of a store revision. */
export function toETag(revision: number): string {
  return `"${revision}"`;
}

/**
 * The strong entity tag of an answer: the revision of what was asked for, where there is one, and the content. The
 * document of a plugin stands still while its status moves: a reader who asks whether anything is new means both, a
 * writer who asks whether anybody changed it means the first.
 */
export function toContentTag(own: string | undefined, body: string): string {
  const content = createHash('sha256').update(body).digest('base64url').slice(0, 22);
  return own === undefined ? `"${content}"` : `${own.slice(0, -1)}.${content}"`;
}

/** Whether a reader has the answer with this tag already. */
export function isFresh(ifNoneMatch: string | undefined, tag: string): boolean {
  // RFC 9110, 13.1.2: compared weakly.
  return toTags(ifNoneMatch).some(one => one === '*' || one.replace(/^W\//, '') === tag);
}

/** Throws `revision-mismatch` where the headers do not hold for the stored revision (undefined: nothing stored). */
export function checkPreconditions(
  { ifMatch, ifNoneMatch }: Preconditions,
  current: number | undefined,
): void {
  const now = current === undefined ? 'it does not exist' : `it is at version ${current}`;
  if (ifMatch !== undefined && !holds(ifMatch, current))
    throw new ApiError('revision-mismatch', `If-Match ${ifMatch} does not hold: ${now}`, {
      hint: 'Read it again, and repeat the change on what you find.',
    });
  if (ifNoneMatch !== undefined && holds(ifNoneMatch, current))
    throw new ApiError('revision-mismatch', `If-None-Match ${ifNoneMatch} does not hold: ${now}`);
}

function holds(header: string, current: number | undefined): boolean {
  if (current === undefined) return false;
  return toTags(header).some(tag => tag === '*' || tag === toETag(current) || tag.startsWith(`"${current}.`));
}

function toTags(header: string | undefined): string[] {
  return (header ?? '').split(',').map(tag => tag.trim());
}
