import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Meter } from '../../model/meter.ts';
import type { ApiServer } from '../routes/route-schema.ts';

/** The routes that requests were found to be for. */
export type RequestRoutes = WeakMap<IncomingMessage, string>;

/** Notes the template of a request's route: `/v1/nodes/:id`. */
export function noteRoutes(app: ApiServer, routes: RequestRoutes): void {
  app.addHook('onRequest', async request => {
    const { url } = request.routeOptions;
    if (url !== undefined) routes.set(request.raw, url);
  });
}

/** Counts a request once it has ended, whoever answers it. */
export function countRequest(
  request: IncomingMessage,
  response: ServerResponse,
  routes: RequestRoutes,
  meter: Pick<Meter, 'requested'>,
): void {
  response.once('close', () => {
    const status = response.headersSent ? response.statusCode : undefined;
    meter.requested(routes.get(request), request.method ?? '', status);
  });
}
