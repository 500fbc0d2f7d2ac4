import { createHash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../model/ports.ts';
import { ApiError } from './api-error.ts';
import { Type } from './schema/type.ts';

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 500;
/** A list that is read on after so long tells of another fleet than its first page. */
const CURSOR_AGE_MS = 3_600_000;

/** What every list takes beside its filters. */
export const PAGE_QUERY = {
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: MAX_LIMIT, description: `items a page, default ${DEFAULT_LIMIT}` }),
  ),
  cursor: Type.Optional(
    Type.String({ maxLength: 1500, description: 'where the page begins: `next` of the page before' }),
  ),
} as const;

/** How a list is sorted and gone on with: each item by a key of its own. */
export interface ListOrder<T> {
  keyOf(item: T): string;
  readonly order: 'rising' | 'falling';
}

/** Records as the store sorts them. */
export const BY_KEY: ListOrder<{ readonly key: string }> = { keyOf: ({ key }) => key, order: 'rising' };
export const BY_KEY_FALLING: ListOrder<{ readonly key: string }> = { ...BY_KEY, order: 'falling' };

export interface Page<T> {
  readonly items: readonly T[];
  /** `cursor` of the next page; null: this is the last. */
  readonly next: string | null;
}

interface Cursor {
  /** Of the last item that was told. */
  readonly after: string;
  readonly madeAt: number;
  /** Path and filters that it is of. */
  readonly list: string;
}

/**
 * The page of a list that a request asks for, sorted by key, with a `Link` to the next one. An item that
 * comes or goes meanwhile moves no other from one page to another. Codes: `bad-query`, `cursor-expired`.
 */
export function takePage<T>(
  request: Pick<FastifyRequest, 'url' | 'query'>,
  reply: Pick<FastifyReply, 'header'>,
  clock: Clock,
  all: readonly T[],
  { keyOf, order }: ListOrder<NoInfer<T>>,
): Page<T> {
  const { limit = DEFAULT_LIMIT } = request.query as { limit?: number };
  const url = new URL(request.url, 'http://attache');
  const list = toListName(url);
  const after = readPageStart(request, clock);
  const isBehind = (a: string, b: string): boolean => (order === 'rising' ? a > b : a < b);
  const sorted = all
    .map(item => ({ item, key: keyOf(item) }))
    .filter(({ key }) => after === undefined || isBehind(key, after))
    .toSorted((a, b) => (a.key === b.key ? 0 : isBehind(a.key, b.key) ? 1 : -1));
  const page = sorted.slice(0, limit);
  const last = page.at(-1);
  const items = page.map(({ item }) => item);
  if (last === undefined || sorted.length <= limit) return { items, next: null };
  const next = writeCursor({ after: last.key, madeAt: clock.now(), list });
  url.searchParams.set('cursor', next);
  reply.header('link', `<${url.pathname}${url.search}>; rel="next"`);
  return { items, next };
}

/**
 * The key behind which the page of a request begins; undefined: it is the first. For lists that are too long to be
 * read whole. Codes: `bad-query`, `cursor-expired`.
 */
export function readPageStart(
  request: Pick<FastifyRequest, 'url' | 'query'>,
  clock: Clock,
): string | undefined {
  const { cursor } = request.query as { cursor?: string };
  if (cursor === undefined) return undefined;
  return readCursor(cursor, toListName(new URL(request.url, 'http://attache')), clock.now()).after;
}

/** A short name of the path and the filters: how many items a page has does not matter. */
function toListName({ pathname, searchParams }: URL): string {
  const filters = [...searchParams].filter(([name]) => name !== 'cursor' && name !== 'limit').sort();
  return createHash('sha256')
    .update(JSON.stringify([pathname, filters]))
    .digest('base64url')
    .slice(0, 8);
}

function writeCursor({ after, madeAt, list }: Cursor): string {
  return Buffer.from(JSON.stringify([list, madeAt, after])).toString('base64url');
}

function readCursor(text: string, list: string, now: number): Cursor {
  const cursor = decodeCursor(text);
  if (cursor === undefined || cursor.list !== list)
    throw new ApiError('bad-query', 'the cursor is not one of this list with these filters', {
      hint: 'Take it from next of the page before, and leave the other parameters as they were.',
    });
  if (now - cursor.madeAt > CURSOR_AGE_MS)
    throw new ApiError('cursor-expired', 'the cursor is more than an hour old', {
      hint: 'Begin again with the first page.',
    });
  return cursor;
}

function decodeCursor(text: string): Cursor | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
    if (!Array.isArray(value)) return undefined;
    const [list, madeAt, after] = value as unknown[];
    return typeof list === 'string' && typeof madeAt === 'number' && typeof after === 'string'
      ? { list, madeAt, after }
      : undefined;
  } catch {
    return undefined;
  }
}

/** Whether one of the texts holds what was looked for, in any case; nothing looked for: all do. */
export function matchesText(q: string | undefined, texts: readonly string[]): boolean {
  if (q === undefined) return true;
  const wanted = q.toLowerCase();
  return texts.some(text => text.toLowerCase().includes(wanted));
}
