import { toListenerAddresses, toListenerStatName } from '../model/listener-address.ts';
import {
  findLacking,
  listenersOf,
  type ResourcesOfNode,
  toResourcesOfNode,
} from '../model/listener-needs.ts';
import { type ListenerTraffic, trafficOf } from '../model/listener-traffic.ts';
import type { NodePresence } from '../model/node.ts';
import { isHttpListener } from '../model/plugin-listeners.ts';
import { toCountText, toNamesText } from '../model/quantity-text.ts';
import { type ResourceSpec, toEnvoyName } from '../model/resource.ts';
import type { FindReferences } from '../model/resource-facts.ts';
import { selects } from '../model/selector.ts';
import { groupEqualNodes } from './equal-nodes.ts';
import type { Fleet } from './fleet.ts';
import { NAMES_KEPT } from './plan-rollout.ts';
import type { ListenerImpact } from './schema/listener-impact.ts';

/** Names that a sentence has room for. */
const NAMES_IN_TEXT = 4;

type Effect = Pick<ListenerImpact, 'listener' | 'effect' | 'detail'>;

/** A listener and what befalls it, with the nodes where it does. */
interface Affected extends Effect {
  readonly spec: ResourceSpec;
  readonly nodes: NodePresence[];
}

/** All documents there are, and one that is not the same in both; undefined: it is not there. */
export interface DocumentChange {
  readonly before: readonly ResourceSpec[];
  readonly after: readonly ResourceSpec[];
  readonly was: ResourceSpec | undefined;
  readonly is: ResourceSpec | undefined;
}

/**
 * What becomes of the listeners that connected nodes serve: those that go, listen elsewhere, or lack what they
 * need. `reached`: the nodes that get anything else. Pure.
 */
export function planListeners(
  fleet: Pick<Fleet, 'rootNamespace' | 'metrics' | 'now'>,
  reached: readonly NodePresence[],
  { before, after, was, is }: DocumentChange,
  find: FindReferences,
): ListenerImpact[] {
  // What comes anew takes nothing away.
  if (was === undefined) return [];
  const names = [was, is].map(spec => spec && toEnvoyName(spec.resource));
  const isAbout = (listener: string) => was.type !== 'listeners' || names.includes(listener);
  const affected = new Map<string, Affected>();
  for (const group of groupEqualNodes(reached, [], [...before, ...after])) {
    const isFor = (spec: ResourceSpec) => selects(spec, group[0].node, fleet.rootNamespace);
    for (const { spec, effect } of findEffects(before.filter(isFor), after.filter(isFor), isAbout, find)) {
      const key = JSON.stringify([effect, toListenerStatName(spec.resource)]);
      const known = affected.get(key) ?? { ...effect, spec, nodes: [] };
      known.nodes.push(...group);
      affected.set(key, known);
    }
  }
  return [...affected.values()].map(one => toImpact(fleet, one));
}

/** For one node. */
function findEffects(
  before: readonly ResourceSpec[],
  after: readonly ResourceSpec[],
  isAbout: (listener: string) => boolean,
  find: FindReferences,
): readonly { readonly spec: ResourceSpec; readonly effect: Effect }[] {
  const [had, gets] = [toResourcesOfNode(before), toResourcesOfNode(after)];
  const next = listenersOf(gets);
  const served = [...listenersOf(had)].filter(([listener]) => isAbout(listener));
  return served.flatMap(([listener, spec]) => {
    const now = next.get(listener);
    const effects =
      now === undefined
        ? [{ effect: 'removed', detail: 'it is removed' } as const]
        : [...findMove(spec, now), ...findBreak({ spec, had }, { spec: now, had: gets }, find)];
    return effects.map(effect => ({ spec, effect: { listener, ...effect } }));
  });
}

function findMove(before: ResourceSpec, after: ResourceSpec): readonly Omit<Effect, 'listener'>[] {
  const [from, to] = [before, after].map(spec => toListenerAddresses(spec.resource).join(' and '));
  const detail = `it moves from ${from || 'no fixed address'} to ${to || 'no fixed address'}`;
  return from === to ? [] : [{ effect: 'moved', detail }];
}

interface OnNode {
  readonly spec: ResourceSpec;
  readonly had: ResourcesOfNode;
}

/** What it lacked before as well is not the change's doing: the bootstrap may have it. */
function findBreak(before: OnNode, after: OnNode, find: FindReferences): readonly Omit<Effect, 'listener'>[] {
  const lacked = findLacking(before.spec, before.had, find);
  const lacks = [...findLacking(after.spec, after.had, find)].filter(what => !lacked.has(what));
  const detail = `no document gives it ${lacks.join(', ')} then`;
  return lacks.length === 0 ? [] : [{ effect: 'broken', detail }];
}

function toImpact(
  { metrics, now }: Pick<Fleet, 'metrics' | 'now'>,
  { spec, nodes, listener, effect, detail }: Affected,
): ListenerImpact {
  const about = {
    statName: toListenerStatName(spec.resource),
    isHttp: isHttpListener(spec.resource),
  };
  const told = nodes
    .map(({ node }) => ({ node: node.id, traffic: trafficOf(metrics(node.id), about, now) }))
    .toSorted((a, b) => (a.node < b.node ? -1 : 1));
  const namesOf = (state: ListenerTraffic['state']) =>
    told.filter(({ traffic }) => traffic.state === state).map(({ node }) => node);
  const sum = (of: 'open' | 'opened') =>
    told.reduce((all, { traffic }) => all + (traffic.state === 'carries' ? traffic[of] : 0), 0);
  const names = { carries: namesOf('carries'), idle: namesOf('idle'), unknown: namesOf('unknown') };
  const [open, opened] = [sum('open'), sum('opened')];
  return {
    listener,
    effect,
    detail,
    count: told.length,
    nodes: told.map(({ node }) => node).slice(0, NAMES_KEPT),
    traffic: { carries: keep(names.carries), idle: keep(names.idle), unknown: keep(names.unknown) },
    open,
    opened,
    text: `listener ${listener}: ${detail}. ${toTrafficText(names, open, opened)}`,
  };
}

function keep(names: readonly string[]): { count: number; nodes: string[] } {
  return { count: names.length, nodes: names.slice(0, NAMES_KEPT) };
}

/** `It carries traffic on 2 nodes (edge-1, edge-2): 3 connections open, 40 opened in the last minute; not known of edge-3` */
function toTrafficText(
  { carries, idle, unknown }: Readonly<Record<ListenerTraffic['state'], readonly string[]>>,
  open: number,
  opened: number,
): string {
  const list = (names: readonly string[]) =>
    `${toCountText(names.length, 'node')} (${toNamesText(names, NAMES_IN_TEXT, names.length)})`;
  const figures = `${toCountText(open, 'connection')} open, ${opened} opened in the last minute`;
  const parts = [
    ...(carries.length === 0 ? [] : [`it carries traffic on ${list(carries)}: ${figures}`]),
    ...(idle.length === 0 ? [] : [`no connection in the last minute on ${list(idle)}`]),
    ...(unknown.length === 0
      ? []
      : [`whether it carries traffic is not known of ${list(unknown)}: no figures came from there`]),
  ];
  const text = parts.join('; ');
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
