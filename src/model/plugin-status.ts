import type { Assignment } from './assignment.ts';
import type { NodePluginState, PluginState } from './plugin-state.ts';
import type { ModuleProgress } from './revision.ts';

/** How far a plugin's newest document got. */
export type PluginPhase = 'Validating' | 'NotStarted' | 'Progressing' | 'Succeeded' | 'RolledBack';

export interface NodeCounts {
  /** accepted + refused + waiting + disconnected */
  readonly targeted: number;
  readonly accepted: number;
  readonly refused: number;
  readonly waiting: number;
  readonly disconnected: number;
  readonly noPlace: number;
}

export interface PluginStatus {
  readonly phase: PluginPhase;
  readonly reason: string | null;
  readonly message: string | null;
  readonly hint: string | null;
  readonly code: string | null;
  /** Nothing changes any more by itself. */
  readonly settled: boolean;
  readonly currentRevision: number | null;
  readonly desiredRevision: number | null;
  readonly nodes: NodeCounts;
  /** When the phase's cause was recorded, ms. */
  readonly since: number;
}

export interface StatusInput {
  /** Store revision and creation time of the spec. */
  readonly specRevision: number;
  readonly createdAt: number;
  readonly progress: ModuleProgress | undefined;
  readonly assignment: Assignment | undefined;
  /** One a known node. */
  readonly states: readonly NodePluginState[];
}

type PhasePart = Omit<PluginStatus, 'nodes' | 'currentRevision' | 'desiredRevision'>;

/** The phase of a plugin from what the module and rollout stages recorded and what the nodes say. Pure. */
export function derivePluginStatus(input: StatusInput): PluginStatus {
  const nodes = countNodes(input.states);
  const ready = isCurrent(input) && input.progress?.state === 'ready';
  return {
    ...(findModulePhase(input) ?? deriveNodePhase(input, nodes)),
    nodes,
    currentRevision: input.assignment?.revision ?? null,
    desiredRevision: ready ? (input.progress?.revision ?? null) : null,
  };
}

/** Selected nodes by how far they are; a disconnected one is in no other count, whatever it last said. */
export function countNodes(states: readonly NodePluginState[]): NodeCounts {
  const waitingWords: readonly PluginState[] = ['Pending', 'Sent', 'Fetching', 'Stale'];
  const targets = states.filter(state => state.state !== 'NotTargeted' && state.reason !== 'Removing');
  const connected = targets.filter(state => !state.lastKnown);
  return {
    targeted: targets.length,
    accepted: connected.filter(state => state.state === 'Accepted').length,
    refused: connected.filter(state => state.state === 'Refused').length,
    waiting: connected.filter(state => waitingWords.includes(state.state)).length,
    disconnected: targets.length - connected.length,
    noPlace: states.filter(state => state.reason === 'NoPlace' || state.reason === 'NoV8').length,
  };
}

/** Progress speaks of the newest document, not of one before it. */
function isCurrent({ progress, specRevision }: StatusInput): boolean {
  return progress !== undefined && progress.specRevision >= specRevision;
}

function findModulePhase(input: StatusInput): PhasePart | undefined {
  const { progress } = input;
  const none = { reason: null, message: null, hint: null, code: null, settled: false };
  if (progress === undefined || !isCurrent(input))
    return { ...none, phase: 'Validating', message: 'waits to be resolved', since: input.createdAt };
  const said = {
    message: progress.message ?? null,
    hint: progress.hint ?? null,
    code: progress.code ?? null,
    since: progress.since,
  };
  switch (progress.state) {
    case 'resolving':
      return { ...none, ...said, phase: 'Validating' };
    case 'retrying':
      return { ...none, ...said, phase: 'Validating', reason: 'ModuleUnavailable' };
    case 'failed':
      return { ...none, ...said, phase: 'NotStarted', settled: true };
    case 'ready':
      return undefined;
    default:
      return progress.state satisfies never;
  }
}

function deriveNodePhase({ progress, assignment, states }: StatusInput, nodes: NodeCounts): PhasePart {
  const desired = progress?.revision ?? null;
  const since = Math.max(progress?.since ?? 0, assignment?.since ?? 0);
  const none = { reason: null, hint: null, code: null, message: null };
  const done = nodes.waiting === 0 && nodes.refused === 0;
  const removed = states.every(state => state.lastKnown || state.reason !== 'Removing');
  if (assignment?.refused !== undefined && assignment.refused.revision === desired) {
    const { node, message, at } = assignment.refused;
    const back = assignment.revision === null ? nodes.accepted === 0 : done;
    const text = `revision ${desired} was refused by ${node}: ${JSON.stringify(message)}`;
    return { ...none, phase: 'RolledBack', message: text, settled: back && removed, since: at };
  }
  if (assignment?.revision !== desired || desired === null)
    return { ...none, phase: 'Progressing', message: 'waits to be sent', settled: false, since };
  if (!done || !removed) return { ...none, phase: 'Progressing', settled: false, since };
  const noNodes = nodes.accepted === 0;
  const message = noNodes ? 'no connected node has a place for it yet; nodes get it when they connect' : null;
  return { ...none, phase: 'Succeeded', reason: noNodes ? 'NoNodes' : null, message, settled: true, since };
}
