import type { NodePluginState } from '../model/plugin-state.ts';
import { NOT_COUNTED } from '../model/plugin-status.ts';
import type { Revision } from '../model/revision.ts';
import { isActive, type Rollout, type RolloutNodes } from '../model/rollout.ts';
import { movedBy } from '../model/rollout-moves.ts';
import { revisionKey, rolloutKey } from '../store/record-kinds.ts';
import type { Store } from '../store/store.ts';
import { type Fleet, stateReader } from './fleet.ts';
import { statusOf } from './plugin-status-of.ts';

/** What an answer about one rollout is made of. */
export interface RolloutFacts {
  readonly fleet: Fleet;
  readonly rollout: Rollout;
  readonly from: Revision | undefined;
  readonly to: Revision | undefined;
  readonly moves: RolloutNodes | undefined;
  readonly active: boolean;
  /** None came after it: what the nodes show now is its doing. */
  readonly latest: boolean;
  /** Of all its targets as they are now; empty where it is not the latest, and of ended ones in lists. */
  readonly states: ReadonlyMap<string, NodePluginState>;
  /** What its plugin's document asks for is not tried again by itself. */
  readonly heldBack: boolean;
  /** `auth`, `edge/auth`: as it is typed. */
  readonly typed: string;
}

/** `withNodes` false: without the nodes of the steps, as lists show rollouts. */
export async function readRolloutFacts(
  store: Store,
  fleet: Fleet,
  rollout: Rollout,
  withNodes = true,
): Promise<RolloutFacts> {
  const { plugin, number } = rollout;
  const find = async (revision: number | null | undefined): Promise<Revision | undefined> => {
    if (revision === null || revision === undefined) return undefined;
    const key = revisionKey(plugin, revision);
    return fleet.revisions.get(key) ?? (await store.get('Revision', key))?.value;
  };
  const active = isActive(rollout);
  const latest = fleet.rollouts.get(plugin)?.[0]?.number === number;
  const moves =
    fleet.moves.get(rollout.id) ??
    (withNodes ? await store.get('RolloutNodes', rolloutKey(plugin, number)) : undefined);
  let states: RolloutFacts['states'] | undefined;
  return {
    fleet,
    rollout,
    from: await find(rollout.from.revision),
    to: await find(rollout.to?.revision),
    get moves() {
      return moves?.value;
    },
    active,
    latest,
    // The line that a plugin has of its rollout asks for none of them, as a rule.
    get states() {
      states ??= latest && (withNodes || active) ? toStates(fleet, rollout, moves?.value) : new Map();
      return states;
    },
    heldBack: latest && !active && isHeldBack(fleet, plugin),
    typed: plugin.replace(/^default\//, ''),
  };
}

function isHeldBack(fleet: Fleet, plugin: string): boolean {
  const spec = fleet.specs.get(plugin);
  return spec !== undefined && statusOf(fleet, spec, NOT_COUNTED).heldBack !== null;
}

function toStates(
  fleet: Fleet,
  { plugin }: Rollout,
  moves: RolloutNodes | undefined,
): ReadonlyMap<string, NodePluginState> {
  const targets = new Set([...(moves?.order.flat() ?? []), ...movedBy(moves).keys()]);
  const read = stateReader(fleet, fleet.specs.get(plugin)?.value ?? toNamed(plugin));
  const states = new Map<string, NodePluginState>();
  for (const presence of fleet.nodes)
    if (targets.has(presence.node.id)) states.set(presence.node.id, read(presence));
  return states;
}

/** The plugin is being forgotten. */
function toNamed(plugin: string): { readonly namespace: string; readonly name: string } {
  const [namespace = '', name = ''] = plugin.split('/');
  return { namespace, name };
}

/** Ids of the nodes that a step moved, by name. */
export function nodesOfStep({ moves }: RolloutFacts, step: number): readonly string[] {
  return [...movedBy(moves)]
    .filter(([, move]) => move.step === step)
    .map(([id]) => id)
    .toSorted();
}

/** What ends a sentence about what nodes run: `revision 7`, `without edge/auth`. */
export function toRunsText({ typed }: RolloutFacts, revision: number | null | undefined): string {
  return revision === null || revision === undefined ? `without ${typed}` : `revision ${revision}`;
}
