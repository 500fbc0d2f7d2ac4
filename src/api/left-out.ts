import { keepOnePerAddress } from '../model/address-conflicts.ts';
import type { NodeIdentity } from '../model/node.ts';
import { compareAge, type ResourceSpec, resourceKey, toEnvoyName } from '../model/resource.ts';
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
  const named = new Map<string, ResourceSpec>();
  const twice: string[] = [];
  for (const spec of selected.filter(one => !closed.includes(one)).toSorted(compareAge)) {
    const name = toEnvoyName(spec.resource) ?? spec.name;
    const kept = named.get(`${spec.type} ${name}`);
    if (kept === undefined) named.set(`${spec.type} ${name}`, spec);
    else
      twice.push(
        `${resourceKey(spec)} is left out here: ${resourceKey(kept)} is called ${name} too, and is older`,
      );
  }
  const { conflicts } = keepOnePerAddress([...named.values()]);
  return [
    ...twice,
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
