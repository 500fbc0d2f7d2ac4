import type { Assignment } from '../../src/model/assignment.ts';
import type { NodePresence } from '../../src/model/node.ts';
import { type PluginSpec, toPluginName } from '../../src/model/plugin-spec.ts';
import { hashConfig, hashRevision, type Revision, type RevisionConfig } from '../../src/model/revision.ts';
import type { Rollout, RolloutNodes, RolloutStep } from '../../src/model/rollout.ts';
import type { RolloutIntent } from '../../src/model/rollout-intent.ts';
import { movedBy } from '../../src/model/rollout-moves.ts';
import { revisionKey, rolloutKey, verdictKey } from '../../src/store/record-kinds.ts';
import type { Store } from '../../src/store/store.ts';
import {
  makeAssignment,
  makeConfig,
  makePresence,
  makeRollout,
  makeSide,
  makeSpec,
  makeVerdict,
  PLUGIN,
} from '../model/records.ts';

/** What the other stages write about a rollout of default/auth from revision 7 to 8 on twenty nodes. */

export function makeRevision(number: number, config: Partial<RevisionConfig> = {}): Revision {
  const whole = makeConfig(config);
  const sha256 = String(number % 10).repeat(64);
  return {
    plugin: PLUGIN,
    number,
    contentHash: hashRevision(sha256, whole),
    configHash: hashConfig(whole),
    config: whole,
    module: {
      sha256,
      sizeBytes: 1234,
      url: 'oci://r/auth:1',
      layout: 'compat-image',
      abi: '0.2.1',
      importCount: 31,
    },
    createdAt: 1_000 * number,
  };
}

export function nodeName(i: number): string {
  return `edge-${String(i).padStart(2, '0')}`;
}

export const NODES: readonly string[] = Array.from({ length: 20 }, (_, i) => nodeName(i));

export function makeStep(reaches: number, over: Partial<RolloutStep> = {}): RolloutStep {
  return {
    wave: null,
    asked: { percent: reaches * 5 },
    reaches,
    soakMs: 30_000,
    pause: null,
    state: 'waiting',
    ...over,
  };
}

/** The first `count` of the nodes moved, by these steps. */
export function makeMoves(rollout: string, at: number, ...steps: readonly number[]): RolloutNodes {
  const moves = steps.map((reaches, step) => ({
    at,
    step,
    nodes: NODES.slice(steps[step - 1] ?? 0, reaches),
  }));
  return { rollout, order: [[...NODES]], before: {}, moves };
}

export interface SceneParts {
  readonly rollout: Rollout;
  readonly moves?: RolloutNodes;
  readonly assignment?: Partial<Assignment>;
  readonly spec?: Partial<PluginSpec>;
  /** What each node runs; default: 8 where it was moved, else 7. null: it is not connected. */
  readonly runs?: (id: string, moved: boolean) => number | null;
  readonly presence?: (id: string) => Partial<NodePresence>;
  readonly now: number;
}

/** Writes a fleet of twenty nodes with a plugin and one rollout; answers the store revision of the spec. */
export async function writeScene(store: Store, parts: SceneParts): Promise<number> {
  const { rollout, moves, now } = parts;
  const spec = makeSpec(parts.spec);
  const plugin = toPluginName(spec);
  const specRevision = await store.put('PluginSpec', plugin, spec);
  await store.put('ModuleProgress', plugin, {
    plugin,
    specRevision,
    state: 'ready',
    revision: 8,
    since: now,
  });
  for (const number of [7, 8])
    await store.put('Revision', revisionKey(plugin, number), makeRevision(number, { priority: number }));
  const assignment = makeAssignment({
    base: makeSide(7),
    moved: [],
    since: now - 60_000,
    ...parts.assignment,
  });
  await store.put('Assignment', plugin, assignment);
  await putRollout(store, { ...rollout, specRevision });
  if (moves !== undefined) await store.put('RolloutNodes', rolloutKey(plugin, rollout.number), moves);
  for (const id of NODES) {
    const moved = movedBy(moves).has(id);
    const running = parts.runs === undefined ? (moved ? 8 : 7) : parts.runs(id, moved);
    const presence = makePresence(
      { connected: running !== null, since: now - 120_000, ...parts.presence?.(id) },
      { id },
    );
    await store.put('NodePresence', id, presence);
    const number = running ?? 7;
    const verdict = makeVerdict(number, number, { node: id });
    const accepted = verdict.accepted && { ...verdict.accepted, at: now - 900 };
    await store.put('NodeVerdict', verdictKey(id, 'attache.last'), { ...verdict, accepted });
  }
  return specRevision;
}

export async function putRollout(store: Store, rollout: Rollout): Promise<void> {
  await store.put('Rollout', rolloutKey(rollout.plugin, rollout.number), rollout);
}

/** 7 → 8 on twenty nodes: one, then four, ten, and all of them. */
export function makeUpdate(over: Partial<Rollout> = {}): Rollout {
  return makeRollout({
    id: 'default.auth.3',
    number: 3,
    from: makeSide(7),
    to: makeSide(8),
    phase: 'Progressing',
    targets: 20,
    steps: [
      makeStep(1, { asked: { nodes: 1 } }),
      makeStep(4),
      makeStep(10),
      makeStep(20, { asked: { percent: 100 }, soakMs: 0 }),
    ],
    ...over,
  });
}

/** Plays the rollout stage: answers each intent with what is to be written. Ends with the store, or the signal. */
export async function playRolloutStage(
  store: Store,
  signal: AbortSignal,
  take: (intent: RolloutIntent) => readonly Rollout[],
): Promise<void> {
  for await (const changes of store.watch(['RolloutIntent'], signal))
    for (const change of changes)
      if (change.kind === 'RolloutIntent' && change.stored !== undefined && !change.initial)
        for (const rollout of take(change.stored.value)) await putRollout(store, rollout);
}
