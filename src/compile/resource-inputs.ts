import { type AddressConflict, keepOnePerAddress } from '../model/address-conflicts.ts';
import { keepOldest, type NameConflict } from '../model/name-conflicts.ts';
import type { NodeIdentity } from '../model/node.ts';
import type { Seal } from '../model/pull-secret.ts';
import type { ResourceSpec } from '../model/resource.ts';
import { openResource } from '../model/resource-secret.ts';
import { selects } from '../model/selector.ts';
import { Memo } from './memo.ts';

/** The user's resources that a node gets, and what had to be left out. */
export interface NodeResources {
  /** No Envoy name twice, and no address. */
  readonly kept: readonly ResourceSpec[];
  readonly conflicts: readonly NameConflict[];
  readonly addressConflicts: readonly Pick<AddressConflict, 'address' | 'kept' | 'dropped'>[];
  /** Documents with secrets that do not open, by store key: they are left out. */
  readonly closed: readonly string[];
}

/** Identities whose resources are remembered; with more of them all are looked for again. */
const MAX_REMEMBERED = 20_000;

/** The user's resources in memory. What nodes of one identity get is one object for as long as it is the same. */
export class ResourceInputs {
  /** With their secrets. */
  readonly #open = new Map<string, ResourceSpec>();
  readonly #closed = new Map<string, ResourceSpec>();
  /** By what is in them, so that nodes of many identities share one. */
  readonly #same = new Memo<NodeResources>(MAX_REMEMBERED);
  readonly #ids = new WeakMap<ResourceSpec, number>();
  #nextId = 0;
  /** By identity key. */
  readonly #found = new Map<string, { readonly node: NodeIdentity; readonly resources: NodeResources }>();
  readonly #rootNamespace: string;
  readonly #seal: Pick<Seal, 'open'>;

  constructor(rootNamespace: string, seal: Pick<Seal, 'open'>) {
    this.#rootNamespace = rootNamespace;
    this.#seal = seal;
  }

  /** undefined: it is gone. */
  apply(key: string, spec: ResourceSpec | undefined): void {
    const before = this.#open.get(key) ?? this.#closed.get(key);
    const resource = spec === undefined ? undefined : openResource(this.#seal, spec);
    this.#open.delete(key);
    this.#closed.delete(key);
    if (spec !== undefined && resource !== undefined) this.#open.set(key, { ...spec, resource });
    else if (spec !== undefined) this.#closed.set(key, spec);
    const touched = [before, spec].filter(one => one !== undefined);
    for (const [identity, { node }] of this.#found)
      if (touched.some(one => this.#isFor(one, node))) this.#found.delete(identity);
  }

  /** Of nodes with this identity key, of which `node` is one. */
  of(key: string, node: NodeIdentity): NodeResources {
    const known = this.#found.get(key);
    if (known !== undefined) return known.resources;
    if (this.#found.size >= MAX_REMEMBERED) this.#found.clear();
    const resources = this.#find(node);
    this.#found.set(key, { node, resources });
    return resources;
  }

  #find(node: NodeIdentity): NodeResources {
    const named = keepOldest([...this.#open.values()].filter(spec => this.#isFor(spec, node)));
    const { kept, conflicts: addressConflicts } = keepOnePerAddress(named.kept);
    const closed = [...this.#closed].filter(([, spec]) => this.#isFor(spec, node)).map(([key]) => key);
    const found = { kept, conflicts: named.conflicts, addressConflicts, closed };
    const dropped = [...named.conflicts, ...addressConflicts].map(conflict => conflict.dropped);
    const ids = [...kept, ...dropped].map(spec => this.#idOf(spec));
    return this.#same.get(`${ids.join()} ${closed.join()}`, () => found);
  }

  #idOf(spec: ResourceSpec): number {
    const id = this.#ids.get(spec) ?? this.#nextId++;
    this.#ids.set(spec, id);
    return id;
  }

  #isFor(spec: ResourceSpec, node: NodeIdentity): boolean {
    return selects(spec, node, this.#rootNamespace);
  }
}
