import { type Assignment, isSameAim, type Side } from './assignment.ts';
import type { Quarantine } from './fleet-records.ts';
import type { PluginSpec } from './plugin-spec.ts';
import { type NodePluginState, PLUGIN_STATES, type PluginState } from './plugin-state.ts';
import type { ModuleProgress } from './revision.ts';
import { isActive, type Rollout, type RolloutPhase } from './rollout.ts';
import { toPlacement } from './rollout-targets.ts';

/** How far a plugin's newest document got, in the words of its rollout. */
export type PluginPhase = RolloutPhase;

export interface NodeCounts {
  /** accepted + refused + waiting + disconnected */
  readonly targeted: number;
  /** Connected, and running what they are to run; `loaded` of them are proven to. */
  readonly accepted: number;
  readonly loaded: number;
  readonly refused: number;
  /** Connected, and neither; of these nothing was sent to `pending`, and `degraded` fail. */
  readonly waiting: number;
  readonly pending: number;
  readonly degraded: number;
  readonly disconnected: number;
  readonly noPlace: number;
}

export interface PluginStatus {
  readonly phase: PluginPhase;
  readonly reason: string | null;
  readonly message: string | null;
  readonly hint: string | null;
  readonly code: string | null;
  /** Nothing is under way for the newest document, and nothing waits for a person to go on. */
  readonly settled: boolean;
  /** What was proven last: the nodes that no rollout has moved run it; null: none. */
  readonly currentRevision: number | null;
  /** What the newest document asks for; while that is held back, what is good. null: none, or not known yet. */
  readonly desiredRevision: number | null;
  readonly heldBack: HeldBack | null;
  readonly nodes: NodeCounts;
  /** When the phase's cause was recorded, ms. */
  readonly since: number;
}

/** What the document asks for, and is not tried again by itself. */
export interface HeldBack {
  /** null: to run none. */
  readonly revision: number | null;
  readonly cause: Quarantine['cause'] | null;
  /** `was refused by edge-b-041 and 2 more`; null: the rollout that ended has the words. */
  readonly text: string | null;
  /** Id of the rollout in which it failed, or that was undone; null: not known. */
  readonly rollout: string | null;
  readonly by: string | null;
  /** ms; null: not known. */
  readonly at: number | null;
}

export interface StatusInput {
  readonly spec: PluginSpec;
  /** Store revision of the spec. */
  readonly specRevision: number;
  readonly progress: ModuleProgress | undefined;
  readonly assignment: Assignment | undefined;
  /** The one with the highest number. */
  readonly rollout: Rollout | undefined;
  /** Of the content that `progress` names, for this plugin. */
  readonly quarantine: Quarantine | undefined;
  /** Over all known nodes. */
  readonly nodes: NodeCounts;
}

type Target = Pick<Side, 'revision' | 'placement'>;
type PhasePart = Pick<PluginStatus, 'phase' | 'reason' | 'message' | 'hint' | 'code' | 'settled' | 'since'>;

const NOTHING_SAID = { reason: null, message: null, hint: null, code: null } as const;
const NO_NODES_TEXT = 'no connected node has a place for it yet; nodes get it when they connect';

/** How a plugin stands, from what the module and rollout stages recorded and what the nodes say. Pure. */
export function derivePluginStatus(input: StatusInput): PluginStatus {
  const { assignment } = input;
  const heldBack = findHeldBack(input);
  const current = assignment?.base.revision ?? null;
  return {
    ...derivePhase(input, heldBack),
    currentRevision: current,
    desiredRevision: heldBack === null ? (findDesired(input)?.revision ?? null) : current,
    heldBack,
    nodes: input.nodes,
  };
}

/** A state that so many nodes have. */
export interface CountedState {
  readonly state: NodePluginState;
  readonly count: number;
}

/** Selected nodes by how far they are; a disconnected one is in no other count, whatever it last said. */
export function countNodes(states: Iterable<CountedState>): NodeCounts {
  const words: Record<PluginState, number> = { ...NO_WORDS };
  let targeted = 0;
  let disconnected = 0;
  let noPlace = 0;
  for (const { state, count } of states) {
    if (state.reason === 'NoPlace' || state.reason === 'NoV8') noPlace += count;
    if (state.state === 'NotTargeted' || state.reason === 'Removing') continue;
    targeted += count;
    if (state.lastKnown) disconnected += count;
    else words[state.state] += count;
  }
  const { Accepted, Loaded, Refused, Pending, Degraded } = words;
  const accepted = Accepted + Loaded;
  return {
    targeted,
    accepted,
    loaded: Loaded,
    refused: Refused,
    waiting: targeted - disconnected - accepted - Refused,
    pending: Pending,
    degraded: Degraded,
    disconnected,
    noPlace,
  };
}

const NO_WORDS = Object.fromEntries(PLUGIN_STATES.map(word => [word, 0])) as Record<PluginState, number>;

/** Where nobody asks for counts. */
export const NOT_COUNTED: NodeCounts = countNodes([]);

/** What the newest document asks for; undefined: the module stage has not come to it yet, or it failed. */
function findDesired({ spec, specRevision, progress }: StatusInput): Target | undefined {
  const placement = toPlacement(spec);
  if (spec.deleted !== undefined) return { revision: null, placement };
  const isReady = progress?.state === 'ready' && progress.specRevision >= specRevision;
  return isReady && progress.revision !== undefined ? { revision: progress.revision, placement } : undefined;
}

/** A rollout that runs (again) is what the document asks for, whatever was held back before it. */
function findHeldBack(input: StatusInput): HeldBack | null {
  const { assignment, quarantine, rollout, specRevision } = input;
  const desired = findDesired(input);
  if (desired === undefined || (rollout !== undefined && isActive(rollout) && leadsTo(rollout, desired)))
    return null;
  const { held } = assignment ?? {};
  const isHeld = held?.specRevision === specRevision && held.revision === desired.revision;
  const isQuarantined = quarantine !== undefined && quarantine.revision === desired.revision;
  // Content that is held back and runs all the same (it failed on other nodes' placement) is where it is wanted.
  if (!isHeld && (!isQuarantined || isAlreadyThere(assignment, desired))) return null;
  return {
    revision: desired.revision,
    cause: quarantine?.cause ?? null,
    text: quarantine?.text ?? null,
    rollout: quarantine?.rollout ?? rollout?.id ?? null,
    by: quarantine?.by ?? null,
    at: quarantine?.at ?? rollout?.endedAt ?? null,
  };
}

function derivePhase(input: StatusInput, heldBack: HeldBack | null): PhasePart {
  const { rollout, specRevision, spec, assignment, progress } = input;
  const desired = findDesired(input);
  const isOfThis = rollout !== undefined && rollout.specRevision >= specRevision;
  const isModuleStage = rollout?.phase === 'Validating' || rollout?.phase === 'NotStarted';
  if (rollout !== undefined && isOfThis && !isModuleStage) return toRolloutPart(rollout, input.nodes);
  if (desired === undefined) return toModulePart(input);
  const leads = rollout !== undefined && !isModuleStage && leadsTo(rollout, desired);
  if (leads || (heldBack !== null && rollout !== undefined)) return toRolloutPart(rollout, input.nodes);
  const since = Math.max(progress?.since ?? spec.deleted?.at ?? spec.createdAt, assignment?.since ?? 0);
  if (heldBack !== null || isAlreadyThere(assignment, desired))
    return toDonePart(desired, input.nodes, since);
  return { ...NOTHING_SAID, phase: 'Progressing', message: 'waits to be sent', settled: false, since };
}

/** Nothing is to change: what the document asks for is what the nodes run. */
function toDonePart(desired: Target, { accepted }: NodeCounts, since: number): PhasePart {
  const isNowhere = desired.revision !== null && accepted === 0;
  const why = isNowhere ? { reason: 'NoNodes', message: NO_NODES_TEXT } : {};
  return { ...NOTHING_SAID, ...why, phase: 'Succeeded', settled: true, since };
}

function toRolloutPart(rollout: Rollout, { accepted }: NodeCounts): PhasePart {
  const { phase, reason, why, hint, code, since } = rollout;
  // Nodes that came since then have had their say.
  const isStale = reason === 'NoNodes' && accepted > 0;
  return {
    phase,
    reason: isStale ? null : (reason ?? null),
    message: isStale ? null : (why ?? null),
    hint: hint ?? null,
    code: code ?? null,
    settled: !isActive(rollout) && phase !== 'RollbackIncomplete',
    since,
  };
}

function toModulePart({ spec, specRevision, progress, rollout }: StatusInput): PhasePart {
  const waits = { ...NOTHING_SAID, message: 'waits to be resolved', settled: false } as const;
  if (progress === undefined || progress.specRevision < specRevision)
    return { ...waits, phase: 'Validating', since: spec.createdAt };
  const said = {
    message: progress.message ?? null,
    hint: progress.hint ?? null,
    code: progress.code ?? null,
    since: progress.since,
  };
  const failed = { ...said, phase: 'NotStarted', reason: null, settled: true } as const;
  // The rollout stage gave up on a module for good where the module stage would still try.
  if (progress.state === 'failed') return failed;
  if (rollout?.phase === 'NotStarted' && rollout.specRevision >= specRevision)
    return { ...failed, message: rollout.why ?? said.message, reason: rollout.reason ?? null };
  const reason = progress.state === 'retrying' ? 'ModuleUnavailable' : null;
  return { ...said, phase: 'Validating', reason, settled: false };
}

/** The rollout is about what the document asks for now, though a later state of the document asks for it too. */
function leadsTo({ to }: Rollout, desired: Target): boolean {
  return to !== null && isSameAim(to, desired);
}

function isAlreadyThere(assignment: Assignment | undefined, desired: Target): boolean {
  if (assignment === undefined) return desired.revision === null;
  return assignment.moved.length === 0 && isSameAim(assignment.base, desired);
}
