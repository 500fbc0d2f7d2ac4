import { findAddressConflicts } from '../model/address-conflicts.ts';
import { findNameConflicts } from '../model/name-conflicts.ts';
import { type ResourceSpec, resourceKey } from '../model/resource.ts';
import type { ApiContext } from './api-context.ts';
import { ApiError } from './api-error.ts';
import type { Fleet } from './fleet.ts';

/**
 * Throws where a document and another one would give a node two things of one kind: whichever would be served, the one
 * that is there stays, and this one is refused. `pointer`: where its resource stands. Codes: `name-conflict`,
 * `address-conflict`.
 */
export function refuseConflicts(
  { rootNamespace }: Pick<ApiContext, 'rootNamespace'>,
  fleet: Pick<Fleet, 'nodes'>,
  spec: ResourceSpec,
  resources: Iterable<ResourceSpec>,
  pointer: string,
): void {
  const nodes = fleet.nodes.map(({ node }) => node);
  const specs = [
    ...[...resources].filter(other => other.type === spec.type && resourceKey(other) !== resourceKey(spec)),
    spec,
  ];
  const isAbout = ({ kept, dropped }: { kept: ResourceSpec; dropped: ResourceSpec }) =>
    kept === spec || dropped === spec;
  const name = findNameConflicts(specs, nodes, rootNamespace).find(isAbout);
  if (name !== undefined) {
    const other = toName(name.kept === spec ? name.dropped : name.kept);
    const hint = `Give it another Envoy name, or delete ${other}, or let the two select different nodes.`;
    throw new ApiError(
      'name-conflict',
      `${other} already gives nodes that this document selects the name ${name.envoyName} in ${spec.type}`,
      {
        faults: [
          { pointer: `${pointer}/name`, message: `${name.envoyName} is the name of ${other} too`, hint },
        ],
        hint,
      },
    );
  }
  const address = findAddressConflicts(specs, nodes, rootNamespace).find(isAbout);
  if (address === undefined) return;
  const other = toName(address.kept === spec ? address.dropped : address.kept);
  const hint = `Give it another address, or delete ${other}, or let the two select different nodes.`;
  const where = address.node === undefined ? '' : `, ${address.node} for instance`;
  throw new ApiError(
    'address-conflict',
    `listener ${other} already listens on ${address.address} on nodes that this document selects${where}`,
    {
      faults: [
        { pointer: `${pointer}/address`, message: `${address.address} is the address of ${other} too`, hint },
      ],
      hint,
    },
  );
}

function toName({ namespace, name }: ResourceSpec): string {
  return `${namespace}/${name}`;
}
