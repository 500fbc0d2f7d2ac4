import type { NodePresence } from '../model/node.ts';
import { type ResourceSpec, toEnvoyName } from '../model/resource.ts';
import { findXdsType, toResourceDocumentSpec } from '../model/resource-document.ts';
import { selects } from '../model/selector.ts';
import type { Stored } from '../store/store.ts';
import { toTime } from './schema/metadata.ts';
import type { ResourceView } from './schema/resource-view.ts';
import { toMetadata } from './to-plugin-view.ts';

/** A raw Envoy resource as an answer, with the nodes that refused it. */
export function toResourceView(
  stored: Stored<ResourceSpec>,
  nodes: readonly NodePresence[],
  rootNamespace: string,
): ResourceView {
  const spec = stored.value;
  const typeUrl = findXdsType(spec.resource)?.typeUrl ?? '';
  const envoyName = toEnvoyName(spec.resource) ?? '';
  const targets = nodes.filter(({ node }) => selects(spec, node, rootNamespace));
  const connected = targets.filter(node => node.connected);
  const refusals = connected.flatMap(({ node, nacks }) =>
    nacks
      .filter(nack => nack.typeUrl === typeUrl && nack.name === envoyName)
      .map(nack => ({ node: node.id, message: nack.message, since: toTime(nack.at) })),
  );
  return {
    kind: 'EnvoyResource',
    apiVersion: 'attache/v1',
    metadata: toMetadata(stored),
    type: spec.type,
    spec: toResourceDocumentSpec(spec),
    status: {
      typeUrl,
      envoyName,
      nodes: {
        targeted: connected.length,
        refused: new Set(refusals.map(refusal => refusal.node)).size,
        disconnected: targets.length - connected.length,
      },
      refusals,
    },
  };
}
