import { findAddressConflicts } from '../model/address-conflicts.ts';
import { findNameConflicts } from '../model/name-conflicts.ts';
import { type ResourceSpec, resourceKey } from '../model/resource.ts';
import { isVisible } from './access/visible.ts';
import type { CallContext } from './api-context.ts';
import { ApiError } from './api-error.ts';
import type { Fleet } from './fleet.ts';

/**
 * Throws where a document and another one would give a node two things of one kind: whichever would be served, the one
 * that is there stays, and this one is refused. `pointer`: where its resource stands. Codes: `name-conflict`,
 * `address-conflict`.
 */
export function refuseConflicts(
  context: Pick<CallContext, 'rootNamespace' | 'caller'>,
  fleet: Pick<Fleet, 'nodes'>,
  spec: ResourceSpec,
  resources: Iterable<ResourceSpec>,
  pointer: string,
): void {
  const { rootNamespace } = context;
  const nodes = fleet.nodes.map(({ node }) => node);
  const specs = [
    ...[...resources].filter(other => other.type === spec.type && resourceKey(other) !== resourceKey(spec)),
    spec,
  ];
  const isAbout = ({ kept, dropped }: { kept: ResourceSpec; dropped: ResourceSpec }) =>
    kept === spec || dropped === spec;
  const name = findNameConflicts(specs, nodes, rootNamespace).find(isAbout);
  if (name !== undefined) {
    const other = toOther(context, name.kept === spec ? name.dropped : name.kept);
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
  const other = toOther(context, address.kept === spec ? address.dropped : address.kept);
  const hint = `Give it another address, or delete ${other}, or let the two select different nodes.`;
  const where = address.node === undefined ? '' : `, ${address.node} for instance`;
  throw new ApiError(
    'address-conflict',
    `${other === OUTSIDE ? '' : 'listener '}${other} already listens on ${address.address} on nodes that this document selects${where}`,
    {
      faults: [
        { pointer: `${pointer}/address`, message: `${address.address} is the address of ${other} too`, hint },
      ],
      hint,
    },
  );
}

const OUTSIDE = 'a document outside of your scope';

/** By its name; what the caller may not see is in the way all the same. */
function toOther(
  { caller, rootNamespace }: Pick<CallContext, 'rootNamespace' | 'caller'>,
  other: ResourceSpec,
): string {
  const name = resourceKey(other);
  const isSeen = isVisible(caller, { kind: 'resource', name, reaches: [other] }, rootNamespace);
  return isSeen ? `${other.namespace}/${other.name}` : OUTSIDE;
}
