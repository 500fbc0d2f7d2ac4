import type { NodeConfig, ResourceConfig } from '../../model/node-config.ts';
import { ofEach } from '../../model/of-each.ts';
import type { ShowResource } from '../../model/show-resource.ts';
import type { NodeConfigs } from './node-configs.ts';

/**
 * The same without the bytes of resources that hold what Envoy's API marks as sensitive: CSDS sends resources whole, to
 * whoever reaches the port.
 */
export function withoutSecretConfigs(configs: NodeConfigs, show: ShowResource): NodeConfigs {
  // Equal resources share their bytes, over nodes and over time.
  const isOpen = ofEach((any: Uint8Array): boolean => holdsNothing(any, show));
  const hide = (resource: ResourceConfig): ResourceConfig =>
    resource.config === null || isOpen(resource.config) ? resource : { ...resource, config: null };
  return {
    nodes: () => configs.nodes(),
    read(nodeId) {
      const found: NodeConfig | undefined = configs.read(nodeId);
      return found && { ...found, resources: found.resources.map(hide) };
    },
  };
}

function holdsNothing(any: Uint8Array, show: ShowResource): boolean {
  try {
    return show(any).redacted.length === 0;
  } catch {
    // Nobody knows what is in it.
    return false;
  }
}
