import type { RestClient } from './rest-client.ts';

/** A page of a list, as every list of the server is answered. */
interface Page {
  readonly items: readonly unknown[];
  /** The cursor of the next page; null or none: this is the last. */
  readonly next?: string | null;
}

/** All items of a list, page after page. */
export async function readList(client: Pick<RestClient, 'get'>, path: string): Promise<readonly unknown[]> {
  const items: unknown[] = [];
  let next: string | null = null;
  do {
    const query: string =
      next === null ? '' : `${path.includes('?') ? '&' : '?'}cursor=${encodeURIComponent(next)}`;
    const page: Page = await client.get<Page>(path + query);
    items.push(...page.items);
    next = page.next ?? null;
  } while (next !== null);
  return items;
}
