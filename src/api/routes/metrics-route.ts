import { SCRAPE_TYPE, type Scrape } from '../metrics/create-scrape.ts';
import type { ApiServer } from './route-schema.ts';

/** For those who have a token, or are on loopback; scrapers without one have a port of their own. */
export function addMetricsRoute(app: ApiServer, { scrape }: { readonly scrape: Scrape }): void {
  app.get('/metrics', { schema: { hide: true } }, async (_request, reply) => {
    reply.type(SCRAPE_TYPE).header('cache-control', 'no-store');
    return scrape();
  });
}
