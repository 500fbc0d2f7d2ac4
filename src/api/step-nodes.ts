import { isDone, type NodePluginState, type PluginState } from '../model/plugin-state.ts';
import { toDurationText, toNumberText } from '../model/quantity-text.ts';
import type { RolloutFailure } from '../model/rollout.ts';
import { movedBy } from '../model/rollout-moves.ts';
import { nodesOfStep, type RolloutFacts } from './rollout-facts.ts';
import { toTime } from './schema/metadata.ts';
import type { StepNodes } from './schema/rollout-view.ts';

/** The good ones first, and the ones to look at last. */
const ORDER: readonly PluginState[] = [
  'Loaded',
  'Accepted',
  'NotTargeted',
  'Sent',
  'Fetching',
  'Pending',
  'Stale',
  'Refused',
  'Degraded',
];
const GOOD: readonly PluginState[] = ['Loaded', 'Accepted'];
/** Nodes that are named; of groups in which nothing is wrong only where they are few. */
const NAMED = 20;
const NAMED_GOOD = 3;

/** The nodes that a step moved, those that say the same together. */
export function groupStepNodes(facts: RolloutFacts, step: number): StepNodes[] {
  const { rollout, latest, active } = facts;
  const ids = nodesOfStep(facts, step);
  if (ids.length === 0) return [];
  if (rollout.back !== undefined) return groupReturned(facts, ids);
  if (!latest)
    return [toGroup('Accepted', ids, toPastText(facts), { revision: rollout.to?.revision ?? null })];
  const nodes = ids.map(id => ({
    id,
    state: facts.states.get(id),
    at: movedBy(facts.moves).get(id)?.at ?? 0,
  }));
  const keyOf = ({ state }: (typeof nodes)[number]): string =>
    state === undefined || state.lastKnown
      ? 'gone'
      : JSON.stringify([
          state.state,
          state.reason,
          state.revision,
          state.state === 'Degraded' && state.detail,
        ]);
  const groups = [...Map.groupBy(nodes, keyOf)].map(([key, members]) => {
    const names = members.map(member => member.id);
    const [first] = members;
    if (key === 'gone' || first?.state === undefined) return toGoneGroup(facts, names, active);
    const times = members.flatMap(({ state }) => (state?.since == null ? [] : [state.since]));
    return toGroup(
      first.state.state,
      names,
      toStateText(facts, first.state, members.length === 1 ? first.at : null),
      {
        revision: first.state.revision,
        since: times.length === 0 ? null : toTime(Math.min(...times)),
      },
    );
  });
  return groups.toSorted((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state));
}

/** A rollout that later ones came after: what its nodes do now is not its doing any more. */
function toPastText({ rollout }: RolloutFacts): string {
  return rollout.to?.revision == null ? 'rid of it' : `revision ${rollout.to.revision}`;
}

function toGoneGroup({ rollout }: RolloutFacts, names: readonly string[], active: boolean): StepNodes {
  const wanted = rollout.to?.revision == null ? 'let go of it' : `get revision ${rollout.to.revision}`;
  const text =
    active || rollout.to !== null ? `not connected; they ${wanted} when they return` : 'not connected';
  return toGroup('Pending', names, text, { lastKnown: true, revision: null, named: NAMED });
}

/** `movedAt` is of a single node: then the time it took is told. */
function toStateText(facts: RolloutFacts, state: NodePluginState, movedAt: number | null): string {
  const { revision, detail, refusal, since } = state;
  const { now } = facts.fleet;
  const runs = revision === null ? '' : `revision ${revision}`;
  switch (state.state) {
    case 'Accepted':
    case 'Loaded': {
      const took = movedAt !== null && since !== null ? since - movedAt : -1;
      return took >= 0 ? `${runs}  ${toDurationText(took)} after sending` : runs;
    }
    case 'Refused':
      return `"${refusal?.message ?? 'no text'}"`;
    case 'Degraded':
      return detail ?? '';
    case 'Stale':
      return since === null ? 'no answer' : `no answer for ${toDurationText(now - since)}`;
    case 'Sent':
      return 'sent, no answer yet';
    case 'Fetching':
      return detail ?? 'it downloads the module';
    case 'Pending':
      return detail ?? 'waits to be sent';
    case 'NotTargeted':
      return state.reason === 'Removed' || (state.desiredRevision === null && isDone(state))
        ? 'rid of it'
        : (detail ?? '');
    default:
      return state.state satisfies never;
  }
}

/** Going back, or back: those that failed by name, and how far the others are. */
function groupReturned(facts: RolloutFacts, ids: readonly string[]): StepNodes[] {
  const { rollout } = facts;
  const failed = ids.filter(id => isFailed(facts, id));
  const others = ids.filter(id => !failed.includes(id));
  const { failure } = rollout;
  const from = rollout.from.revision;
  const was = rollout.to?.revision == null ? 'rid of it' : `revision ${rollout.to.revision}`;
  const groups: StepNodes[] = [];
  if (others.length > 0)
    groups.push(toGroup('Accepted', others, `${was}, ${toBackText(facts, others)}`, { revision: from }));
  if (failed.length > 0 && failure !== undefined) {
    const [state, text] = toFailedWords(facts, failure, failed);
    groups.push(toGroup(state, failed, text, { revision: from, named: NAMED }));
  }
  return groups;
}

function toFailedWords(
  facts: RolloutFacts,
  { kind, text }: RolloutFailure,
  failed: readonly string[],
): readonly [PluginState, string] {
  const from = facts.rollout.from.revision;
  const back = toBackText(facts, failed);
  switch (kind) {
    case 'refusal':
      return ['Refused', from === null ? 'never had it' : `never left revision ${from}`];
    case 'deadline':
      return ['Stale', `${text}; ${back}`];
    case 'unreachable':
      return ['Fetching', `${text}; ${back}`];
    case 'broken':
    case 'reload':
    case 'gate':
    case 'abort':
      return ['Degraded', `accepted, then ${text}; ${back}`];
    default:
      return kind satisfies never;
  }
}

function isFailed({ rollout, states, moves }: RolloutFacts, id: string): boolean {
  const { failure, to } = rollout;
  if (failure === undefined || failure.kind === 'abort' || failure.kind === 'gate') return false;
  if (failure.nodes.includes(id)) return true;
  const refusal = states.get(id)?.refusal ?? null;
  const sameTry = refusal !== null && refusal.at >= (movedBy(moves).get(id)?.at ?? 0);
  return failure.kind === 'refusal' && sameTry && refusal.revision === to?.revision;
}

/** `back on 7 (27 of 27 confirmed, 2.9 s)` */
function toBackText(facts: RolloutFacts, ids: readonly string[]): string {
  const { rollout, states } = facts;
  const { back, from } = rollout;
  const where = from.revision === null ? 'without it again' : `back on ${from.revision}`;
  const confirmed = ids.filter(id => {
    if (back === undefined || back.missing.includes(id)) return false;
    if (back.tookMs !== undefined) return true;
    const state = states.get(id);
    return state !== undefined && isDone(state) && !state.lastKnown;
  });
  const took = back?.tookMs === undefined ? '' : `, ${toDurationText(back.tookMs)}`;
  return `${where} (${toNumberText(confirmed.length)} of ${toNumberText(ids.length)} confirmed${took})`;
}

interface GroupMore {
  readonly revision: number | null;
  readonly since?: string | null;
  readonly lastKnown?: boolean;
  readonly named?: number;
}

function toGroup(state: PluginState, names: readonly string[], text: string, more: GroupMore): StepNodes {
  const few = GOOD.includes(state) && names.length > NAMED_GOOD ? 0 : NAMED;
  return {
    state,
    count: names.length,
    revision: more.revision,
    nodes: names.slice(0, more.named ?? few),
    text,
    since: more.since ?? null,
    lastKnown: more.lastKnown ?? false,
  };
}
