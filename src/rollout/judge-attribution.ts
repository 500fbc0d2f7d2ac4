/** An active rollout, of some plugin, that may be at fault. */
export interface Suspect {
  /** Id of the rollout. */
  readonly rollout: string;
  /** Every node that it moved. */
  readonly moved: ReadonlySet<string>;
}

/** Ids of rollouts. Those in neither list moved none of the failing nodes, or were cleared. */
export interface Attribution {
  /** At fault. */
  readonly blamed: readonly string[];
  /** It may be any of these: all of them pause. */
  readonly unattributed: readonly string[];
}

/**
 * Which rollouts nodes that fail are due to, when more than one moved them.
 *
 * A rollout is cleared of a node when some other node that it moved, and that no other suspect of that node moved, is
 * fine (`isFine`: serves enough requests, and well). Where exactly one is left, it is to blame; what else it moved
 * needs no second culprit. Where more are left, or none, nobody can tell.
 */
export function attribute(
  failing: readonly string[],
  suspects: readonly Suspect[],
  isFine: (node: string) => boolean,
): Attribution {
  const failed = new Set(failing);
  const cases = failing
    .map(node => suspects.filter(({ moved }) => moved.has(node)))
    .filter(movers => movers.length > 0)
    .map(movers => ({ movers, left: movers.filter(one => !isCleared(one, movers, failed, isFine)) }));
  const blamed = new Set(cases.flatMap(({ left }) => (left.length === 1 ? left : [])));
  const open = cases
    .filter(({ movers }) => !movers.some(one => blamed.has(one)))
    .flatMap(({ movers, left }) => (left.length === 0 ? movers : left));
  return { blamed: toIds(suspects, blamed), unattributed: toIds(suspects, new Set(open)) };
}

/** Alone it does no harm. */
function isCleared(
  one: Suspect,
  movers: readonly Suspect[],
  failed: ReadonlySet<string>,
  isFine: (node: string) => boolean,
): boolean {
  if (movers.length === 1) return false;
  const others = movers.filter(mover => mover !== one);
  for (const node of one.moved)
    if (!failed.has(node) && !others.some(({ moved }) => moved.has(node)) && isFine(node)) return true;
  return false;
}

/** In the order of the suspects, so that the answer does not depend on that of the nodes. */
function toIds(suspects: readonly Suspect[], chosen: ReadonlySet<Suspect>): readonly string[] {
  return suspects.filter(one => chosen.has(one)).map(({ rollout }) => rollout);
}
