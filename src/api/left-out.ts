import { keepOnePerAddress } from '../model/address-conflicts.ts';
import { keepOldest } from '../model/name-conflicts.ts';
import type { NodeIdentity } from '../model/node.ts';
import { type ResourceSpec, resourceKey } from '../model/resource.ts';
import { openResource } from '../model/resource-secret.ts';
import { selects } from '../model/selector.ts';
import type { ApiContext } from './api-context.ts';

/**
 * Documents that select a node and that it is not given, each as a sentence: two that give it one Envoy name, or two
 * listeners on one address (the older one is served), and secrets that this server cannot open.
 */
export function findLeftOut(
  { rootNamespace, seal }: Pick<ApiContext, 'rootNamespace' | 'seal'>,
  node: NodeIdentity,
  resources: readonly ResourceSpec[],
): string[] {
  const selected = resources.filter(spec => selects(spec, node, rootNamespace));
  const closed = selected.filter(spec => openResource(seal, spec) === undefined);
  const named = keepOldest(selected.filter(spec => !closed.includes(spec)));
  const { conflicts } = keepOnePerAddress(named.kept);
  return [
    ...named.conflicts.map(
      ({ envoyName, kept, dropped }) =>
        `${resourceKey(dropped)} is left out here: ${resourceKey(kept)} is called ${envoyName} too, and is older`,
    ),
    ...conflicts.map(
      ({ address, kept, dropped }) =>
        `${resourceKey(dropped)} is left out here: ${resourceKey(kept)} listens on ${address} too, and is older`,
    ),
    ...closed.map(
      spec =>
        `${resourceKey(spec)} is left out here: its secrets do not open with the key of this server; apply it again`,
    ),
  ];
}
