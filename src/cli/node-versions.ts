import type { NodeView } from '../api/schema/node-view.ts';
import type { PluginView } from '../api/schema/plugin-view.ts';
import { readList } from './read-list.ts';
import type { RestClient } from './rest-client.ts';

/** The Envoy releases (`1.40`) of the nodes that a plugin selects, oldest first. */
export async function readMinorVersions(client: RestClient, view: PluginView): Promise<readonly string[]> {
  const selected = new Set(
    (view.onNodes ?? []).filter(one => one.state !== 'NotTargeted').map(one => one.node),
  );
  if (selected.size === 0) return [];
  const nodes = (await readList(client, '/v1/nodes')) as readonly NodeView[];
  const versions = nodes
    .filter(node => selected.has(node.metadata.name) && node.status.envoyVersion !== '')
    .map(node => node.status.envoyVersion.split('.').slice(0, 2).join('.'));
  return [...new Set(versions)].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
}
