import type { Moved } from '../model/assignment.ts';
import { isFine } from '../model/node-health.ts';
import { toNamesText } from '../model/quantity-text.ts';
import type { Rollout } from '../model/rollout.ts';
import { type Failing, fail } from './go-back.ts';
import { attribute, type Suspect } from './judge-attribution.ts';
import {
  type GateFacts,
  type GateFailure,
  type GateRefusal,
  type GateWatch,
  judgeGates,
  type MovedNode,
  policyInForce,
} from './judge-gates.ts';
import { aimOf, arrivalOf } from './node-arrival.ts';
import { lookedAt, pause } from './pause-rollout.ts';
import { findRefusals, findUnnamedRefusals } from './refusals.ts';
import { leftMs } from './rollout-clock.ts';
import type { RolloutFacts, RolloutRecords } from './rollout-facts.ts';
import { nameOf, toAimText, toFirstText } from './rollout-text.ts';
import { latestOf, type Rule, type Turn, withRollout } from './rollout-turn.ts';

const NEWS_VERDICTS: readonly string[] = ['failing', 'fail', 'inconclusive', 'error'];

/** Judges what moved nodes say and show: what fails goes back (or pauses), what cannot be told pauses. */
export const watchGates: Rule = (turn, records) => {
  const rollout = latestOf(records);
  const entry = records.assignment?.moved.find(({ rollout: id }) => id === rollout?.id);
  if (rollout === undefined || entry === undefined || !isWatched(rollout)) return records;
  const unnamed = judgeUnnamed(turn, records, rollout, entry);
  if (unnamed !== records) return unnamed;
  const refusals = findRefusals(turn.facts, entry, evidenceSince(turn.facts, rollout, entry));
  const judgement = judgeGates(toGateFacts(turn, records, rollout, refusals));
  if (judgement.nextAt !== null) turn.wake(judgement.nextAt);
  const isNews = JSON.stringify(judgement.reports) !== JSON.stringify(rollout.gates);
  const judged = isNews ? { ...rollout, gates: judgement.reports } : rollout;
  const next = isNews ? withRollout(records, judged) : records;
  if (isNews) tellGates(turn, rollout, judged);
  if (judgement.fail !== undefined) return failGate(turn, next, judged, judgement.fail);
  if (judgement.pause === undefined || rollout.phase === 'Paused') return next;
  return pause(turn, next, judged, judgement.pause);
};

function isWatched({ phase, reason }: Rollout): boolean {
  if (phase === 'Paused') return reason !== 'Failure';
  return phase === 'Progressing' || phase === 'Baking';
}

/** What somebody looked at and let go on counts no more. */
function evidenceSince(facts: RolloutFacts, rollout: Rollout, entry: Moved): number {
  return rollout.failure === undefined ? entry.since : Math.max(entry.since, lookedAt(facts, rollout));
}

function toGateFacts(
  turn: Turn,
  records: RolloutRecords,
  rollout: Rollout,
  refusals: readonly GateRefusal[],
): GateFacts {
  const { facts } = turn;
  const { nodes } = records;
  const movedAt = nodes?.movedAt ?? {};
  const others = (nodes?.order.flat() ?? []).filter(
    id => movedAt[id] === undefined && !facts.excluded.has(id) && facts.fleet.get(id)?.presence.connected,
  );
  return {
    plugin: facts.plugin,
    aim: toAimText(rollout),
    gates: rollout.strategy.gates,
    reports: rollout.gates,
    refusals,
    moved: findArrived(turn, records, rollout),
    others: others.map(id => facts.metrics(id)),
    watch: rollout.phase === 'Paused' ? null : findWatch(turn, records, rollout),
    now: facts.now,
  };
}

/** Connected nodes that this rollout moved and that have taken it. */
function findArrived(turn: Turn, { nodes }: RolloutRecords, rollout: Rollout): readonly MovedNode[] {
  const { facts } = turn;
  const { to, failure } = rollout;
  if (to === null || nodes === undefined) return [];
  const revision = to.revision ?? rollout.from.revision;
  const strategy = (revision === null ? undefined : facts.revisions.get(revision))?.config.failStrategy;
  return Object.entries(nodes.movedAt).flatMap(([id, { at }]) => {
    const node = facts.fleet.get(id);
    if (node === undefined || arrivalOf(turn, id, aimOf(rollout, to, nodes, id)) !== 'done') return [];
    return [
      {
        id,
        at: failure === undefined ? at : Math.max(at, lookedAt(facts, rollout)),
        before: nodes.before[id],
        metrics: facts.metrics(id),
        policy: policyInForce(strategy, node.presence.node.capabilities.failReload),
      },
    ];
  });
}

function findWatch(turn: Turn, records: RolloutRecords, rollout: Rollout): GateWatch | null {
  const { stage, strategy, steps, step, startedAt } = rollout;
  const active = steps[step];
  if (stage === 'Baking')
    return {
      since: active?.endedAt ?? startedAt,
      totalMs: strategy.bakeMs,
      leftMs: leftMs(turn, rollout, records),
      baking: true,
    };
  if (stage !== 'Soaking' || active === undefined) return null;
  return {
    since: (active.startedAt ?? startedAt) + (active.appliedMs ?? 0),
    totalMs: active.soakMs,
    leftMs: leftMs(turn, rollout, records),
    baking: false,
  };
}

/** What went wrong with a gate, and that it went right again. */
function tellGates(turn: Turn, before: Rollout, after: Rollout): void {
  const isNews = (verdict: string | undefined) => verdict !== undefined && NEWS_VERDICTS.includes(verdict);
  for (const report of after.gates) {
    const known = before.gates.find(({ name }) => name === report.name);
    if (known?.verdict === report.verdict || (!isNews(report.verdict) && !isNews(known?.verdict))) continue;
    turn.tell('rollout.gate', `${nameOf(after)}: gate ${report.name}: ${report.verdict}: ${report.text}`);
  }
}

/** A refusal or a crash names its plugin; of everything else another rollout may be the cause. */
function failGate(turn: Turn, records: RolloutRecords, rollout: Rollout, gate: GateFailure): RolloutRecords {
  const { facts } = turn;
  const failing: Failing = {
    kind: gate.kind,
    reason: gate.reason,
    gate: gate.gate,
    nodes: gate.failing.length > 0 ? gate.failing : gate.nodes,
    count: gate.count,
    text: gate.text,
    why: gate.why,
    quarantine: toQuarantine(gate),
  };
  if (gate.kind === 'refusal' || gate.kind === 'reload') return fail(turn, records, rollout, failing);
  return blame(turn, records, rollout, failing, id =>
    isFine(facts.metrics(id), movedSince(turn, records, id), facts.now),
  );
}

/** When the newest of the rollouts that moved a node did so. */
function movedSince({ facts }: Turn, { nodes }: RolloutRecords, id: string): number {
  const times = facts.suspects().map(({ movedAt }) => movedAt.get(id) ?? 0);
  return Math.max(nodes?.movedAt[id]?.at ?? 0, ...times);
}

function toQuarantine({ kind, nodes, count, text }: GateFailure): NonNullable<Failing['quarantine']> {
  const who = nodes.length === 0 ? '' : toNamesText(nodes, 1, count);
  return kind === 'refusal'
    ? { cause: 'refused', text: `was refused by ${who}` }
    : { cause: 'failed', text: who === '' ? `failed: ${text}` : `failed on ${who}` };
}

/** Envoy refused something of a place and named nobody. */
function judgeUnnamed(turn: Turn, records: RolloutRecords, rollout: Rollout, entry: Moved): RolloutRecords {
  // Those from before a person resumed it were looked at.
  const refusals = findUnnamedRefusals(
    turn.facts,
    entry,
    Math.max(entry.since, lookedAt(turn.facts, rollout)),
  );
  const [first] = refusals;
  if (first === undefined) return records;
  const nodes = refusals.map(({ node }) => node);
  const failing: Failing = {
    kind: 'refusal',
    reason: 'Refused',
    nodes,
    text: first.text,
    why: `${toFirstText(nodes)} refused it: ${JSON.stringify(first.text)}`,
    quarantine: { cause: 'refused', text: `was refused by ${toNamesText(nodes, 1)}` },
  };
  return blame(turn, records, rollout, failing, id => isTaken(turn.facts, id));
}

/** Goes back where this rollout is at fault, pauses where it may be, and goes on where another one is. */
function blame(
  turn: Turn,
  records: RolloutRecords,
  rollout: Rollout,
  failing: Failing,
  seemsFine: (node: string) => boolean,
): RolloutRecords {
  const { facts } = turn;
  const own: Suspect = { rollout: rollout.id, moved: new Set(Object.keys(records.nodes?.movedAt ?? {})) };
  const { blamed, unattributed } = attribute(failing.nodes, [own, ...facts.suspects()], seemsFine);
  if (blamed.includes(rollout.id)) return fail(turn, records, rollout, failing);
  if (!unattributed.includes(rollout.id)) return records;
  if (rollout.phase === 'Paused' && rollout.reason === 'Unattributed') return records;
  const others = unattributed.filter(id => id !== rollout.id);
  const why = `${failing.why}. It may be due to this rollout or to ${others.join(', ')}: all of them are paused`;
  return pause(turn, records, rollout, { reason: 'Unattributed', why });
}

/** What the node was sent last it took, in every place. */
function isTaken({ fleet }: RolloutFacts, id: string): boolean {
  const node = fleet.get(id);
  if (node === undefined || !node.presence.connected) return false;
  const { process, slots } = node.presence;
  const live = node.verdicts.filter(verdict => verdict.process === process && slots.includes(verdict.slot));
  return live.length > 0 && live.every(({ state }) => state === 'accepted');
}
