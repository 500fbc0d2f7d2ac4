import { toBreakageText } from '../model/gate-text.ts';
import { findBreakage, reloadsSince } from '../model/node-health.ts';
import { toCountText } from '../model/quantity-text.ts';
import type { GateReport } from '../model/rollout.ts';
import type { Gate } from '../model/rollout-strategy.ts';
import type { GateFacts, GateFailure, GateOutcome, MovedNode } from './judge-gates.ts';
import { toNodesText } from './judge-text.ts';

/** Nodes that a failure lists; its count tells of the others. */
export const LISTED_NODES = 20;

/**
 * Zero tolerance: one node at fault is a failure. A report changes only when the number of nodes at fault does: the
 * counts behind it move all the time.
 */
export function judgeHardGate(facts: GateFacts, gate: Gate, before: GateReport): GateOutcome {
  const fail = findFailure(facts, gate);
  const verdict = fail === undefined ? 'pass' : 'fail';
  const count = fail?.count ?? 0;
  const isSame = before.verdict === verdict && (before.moved?.value ?? 0) === count;
  const report: GateReport = isSame
    ? before
    : {
        ...before,
        verdict,
        text: fail?.why ?? '0',
        moved: fail === undefined ? null : { value: count, requests: 0 },
        at: fail === undefined ? before.at : facts.now,
      };
  return fail === undefined ? { report } : { report, fail };
}

function findFailure(facts: GateFacts, gate: Gate): GateFailure | undefined {
  switch (gate.kind) {
    case 'refusal':
      return findRefusal(facts, gate.name);
    case 'reload':
      return findCrash(facts, gate.name);
    case 'broken':
      return findBroken(facts, gate.name);
    default:
      return undefined;
  }
}

function findRefusal(
  { refusals, aim = 'the new revision' }: GateFacts,
  gate: string,
): GateFailure | undefined {
  const [first] = refusals;
  if (first === undefined) return undefined;
  const nodes = [...new Set(refusals.map(({ node }) => node))];
  const who = nodes.length === 1 ? first.node : toCountText(nodes.length, 'node');
  const which = nodes.length === 1 ? '' : `, first ${first.node}`;
  return {
    ...toFailure(gate, nodes, first.text),
    kind: 'refusal',
    reason: 'Refused',
    why: `${who} refused ${aim}${which}: ${JSON.stringify(first.text)}`,
    at: first.at,
  };
}

function findCrash(facts: GateFacts, gate: string): GateFailure | undefined {
  const { plugin, aim = 'the new revision' } = facts;
  const crashed = toSuspected(facts).flatMap(node => {
    const reloads = reloadsSince(node.metrics, plugin, node.at);
    return reloads > 0 ? [{ node, reloads }] : [];
  });
  const [first] = crashed;
  if (first === undefined) return undefined;
  const nodes = crashed.map(({ node }) => node.id);
  const reloads = crashed.reduce((sum, found) => sum + found.reloads, 0);
  const crashes = `${plugin} crashed ${toCountText(reloads, 'time')}`;
  const policy = `failure policy ${first.node.policy}`;
  return {
    ...toFailure(gate, nodes, `${crashes}; ${policy}`),
    kind: 'reload',
    reason: 'Crashed',
    why: `${crashes} on ${toNodesText(nodes)} since the move to ${aim}; ${policy}`,
  };
}

function findBroken(facts: GateFacts, gate: string): GateFailure | undefined {
  const broken = toSuspected(facts).flatMap(node => {
    const { others } = facts;
    const { metrics, before, at, tellsSince = at } = node;
    const breakage = findBreakage({ metrics, movedAt: Math.max(at, tellsSince), before, others });
    return breakage === undefined ? [] : [{ id: node.id, breakage }];
  });
  const [first] = broken;
  if (first === undefined) return undefined;
  const nodes = broken.map(({ id }) => id);
  const text = toBreakageText(first.breakage);
  const more = nodes.length === 1 ? '' : `; so did ${toCountText(nodes.length - 1, 'more node')}`;
  const failure = toFailure(gate, nodes, text);
  return { ...failure, kind: 'broken', reason: 'Broken', why: `${first.id} ${text}${more}` };
}

/** Asks for `moved`, which is long, only where it has to. */
function toSuspected(facts: GateFacts): readonly MovedNode[] {
  return facts.ailing ?? facts.moved;
}

/** What failures of all kinds have; `failing` is not empty. */
export function toFailure(
  gate: string,
  failing: readonly string[],
  text: string,
): Pick<GateFailure, 'gate' | 'node' | 'nodes' | 'count' | 'failing' | 'text'> {
  const [node] = failing;
  return {
    gate,
    ...(node === undefined ? {} : { node }),
    nodes: failing.slice(0, LISTED_NODES),
    count: failing.length,
    failing,
    text,
  };
}
