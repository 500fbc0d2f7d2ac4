import { ApiError } from './api-error.ts';

/** The conditional headers of a write. https://www.rfc-editor.org/rfc/rfc9110#section-13.1 */
export interface Preconditions {
  readonly ifMatch: string | undefined;
  readonly ifNoneMatch: string | undefined;
}

/** The strong entity tag of a store revision. */
export function toETag(revision: number): string {
  return `"${revision}"`;
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
  const tags = header.split(',').map(tag => tag.trim());
  return tags.includes('*') || tags.includes(toETag(current));
}
