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

export function attribute(
  _failing: readonly string[],
  _suspects: readonly Suspect[],
  _isFine: (node: string) => boolean,
): Attribution {
  throw new Error('not there yet');
}
