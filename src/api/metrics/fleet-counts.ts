import { setImmediate } from 'node:timers/promises';
import { PLUGIN_STATES, type PluginState } from '../../model/plugin-state.ts';
import { ROLLOUT_PHASES, type RolloutPhase } from '../../model/rollout.ts';
import { groupStates } from '../count-states.ts';
import { type Fleet, isGone } from '../fleet.ts';

/** What is counted over all nodes, plugins and rollouts. */
export interface FleetCounts {
  readonly connectedNodes: number;
  readonly knownNodes: number;
  readonly stuckStreams: number;
  /** By the newest rollout of each plugin. */
  readonly rollouts: ReadonlyMap<RolloutPhase, number>;
  /** Of every plugin on every node. */
  readonly states: ReadonlyMap<PluginState, number>;
  readonly isFrozen: boolean;
}

/** States derived in one go, or those of one plugin: pushes wait for some milliseconds at most. */
const AT_ONCE = 200;

/** Every word of a set is counted, also where it is 0 times. */
export async function countFleet(fleet: Fleet): Promise<FleetCounts> {
  const states = new Map<PluginState, number>(PLUGIN_STATES.map(state => [state, 0]));
  let derived = 0;
  for (const stored of fleet.specs.values()) {
    if (isGone(fleet, stored)) continue;
    const groups = groupStates(fleet, stored.value);
    for (const { state, count } of groups) states.set(state.state, (states.get(state.state) ?? 0) + count);
    derived += groups.length;
    if (derived < AT_ONCE) continue;
    derived = 0;
    await setImmediate();
  }
  const rollouts = new Map<RolloutPhase, number>(ROLLOUT_PHASES.map(phase => [phase, 0]));
  for (const [newest] of fleet.rollouts.values())
    if (newest !== undefined) rollouts.set(newest.phase, (rollouts.get(newest.phase) ?? 0) + 1);
  const connected = fleet.nodes.filter(node => node.connected);
  return {
    connectedNodes: connected.length,
    knownNodes: fleet.nodes.length,
    stuckStreams: connected.filter(node => node.silentSince !== undefined).length,
    rollouts,
    states,
    isFrozen: fleet.freeze !== undefined,
  };
}
