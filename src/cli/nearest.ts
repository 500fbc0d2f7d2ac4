import type { NodeView } from '../api/schema/node-view.ts';
import type { PluginView } from '../api/schema/plugin-view.ts';
import { AttacheError } from '../model/error.ts';
import { findNearestName } from '../model/nearest-name.ts';
import { readList } from './read-list.ts';
import { type RestClient, RestError } from './rest-client.ts';
import { toTypedName } from './target.ts';

/** Calls; where the server knows no such plugin (`<namespace>/<name>`), the error names the nearest one. */
export function withNearestPlugin<T>(client: RestClient, name: string, call: () => Promise<T>): Promise<T> {
  return withNearest(call, async () => {
    const items = (await readList(client, '/v1/plugins')) as readonly PluginView[];
    return nearestPlugin(
      name,
      items.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`),
    );
  });
}

/** The same for a node by its id. */
export function withNearestNode<T>(client: RestClient, id: string, call: () => Promise<T>): Promise<T> {
  return withNearest(call, async () => {
    const items = (await readList(client, '/v1/nodes')) as readonly NodeView[];
    const known = items.map(({ metadata }) => metadata.name);
    return known.includes(id) ? undefined : findNearestName(id, known);
  });
}

/** The same name in another namespace is nearer than another name; undefined: it is there, or nothing is near. */
export function nearestPlugin(name: string, known: readonly string[]): string | undefined {
  if (known.includes(name)) return undefined;
  const bare = (full: string) => full.slice(full.indexOf('/') + 1);
  const elsewhere = known.find(one => bare(one) === bare(name));
  return elsewhere ?? findNearestName(toTypedName(name), known.map(toTypedName));
}

async function withNearest<T>(
  call: () => Promise<T>,
  findNearest: () => Promise<string | undefined>,
): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (!(error instanceof RestError) || error.code !== 'not-found') throw error;
    const nearest = await findNearest().catch(() => undefined);
    if (nearest === undefined) throw error;
    throw new AttacheError(error.code, error.message, { cause: error, hint: `Did you mean ${nearest}?` });
  }
}
