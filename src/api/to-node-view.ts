import { isDeepStrictEqual } from 'node:util';
import { lastAckOf } from '../model/last-ack.ts';
import type { NodeIdentity, NodePresence } from '../model/node.ts';
import { groupsOfNode, nodeGroupKey } from '../model/node-group.ts';
import { findInSlot, isPlaceOf, PROBE_NAME } from '../model/plugin-place.ts';
import { PHASES } from '../model/plugin-spec.ts';
import { type NodePluginState, PLUGIN_STATES, type PluginState } from '../model/plugin-state.ts';
import { type ResourceSpec, toEnvoyName } from '../model/resource.ts';
import { selects } from '../model/selector.ts';
import { XDS_TYPES } from '../model/type-url.ts';
import { type Fleet, stateOnNode } from './fleet.ts';
import { findIgnoredClaims } from './ignored-claims.ts';
import { toNodeSettings } from './node-settings.ts';
import { toTime } from './schema/metadata.ts';
import type { NodeView, PluginOnNode } from './schema/node-view.ts';
import { toPluginOnNode } from './to-plugin-view.ts';

interface Entry {
  readonly plugin: string;
  readonly state: NodePluginState;
}

/**
 * A node as an answer. `extensions`: what stands in places that are for no plugin, on any node. `all`: with the plugins
 * that do not select it, each with its reason.
 */
export function toNodeView(
  fleet: Fleet,
  extensions: readonly ResourceSpec[],
  presence: NodePresence,
  all = false,
): NodeView {
  const { node, connected, since, firstSeenAt, silentSince, slots, nacks } = presence;
  const lastAckAt = lastAckOf(presence, fleet.verdicts.get(node.id) ?? []);
  const entries = [...fleet.specs.values()].map(({ key, value }) => ({
    plugin: key,
    state: stateOnNode(fleet, value, presence),
  }));
  const wanted = entries.filter(
    ({ state }) => state.state !== 'NotTargeted' && state.desiredRevision !== null,
  );
  const excluded = fleet.policies.get(node.id)?.excluded;
  return {
    kind: 'Node',
    metadata: {
      name: node.id,
      namespace: node.namespace,
      labels: { ...node.labels },
      firstSeenAt: toTime(firstSeenAt),
    },
    status: {
      state: connected ? 'Connected' : 'Disconnected',
      since: toTime(since),
      worst: findWorst(entries),
      cluster: node.cluster,
      zone: node.zone || (node.labels.zone ?? ''),
      envoyVersion: node.envoyVersion,
      groups: groupsOfNode(node, fleet.groups.values(), fleet.rootNamespace).map(nodeGroupKey),
      layout: node.capabilities.filterChain ? 'chain' : 'single',
      wasm: node.capabilities.wasm,
      lastAckAt: lastAckAt === undefined ? null : toTime(lastAckAt),
      silentSince: silentSince === undefined ? null : toTime(silentSince),
      envoys: (presence.envoys ?? []).map(envoy => ({ ...envoy, since: toTime(envoy.since) })),
      excluded:
        excluded === undefined
          ? null
          : { by: excluded.by, message: excluded.message, since: toTime(excluded.at) },
      accepted: wanted.filter(({ state }) => state.state === 'Accepted' || state.state === 'Loaded').length,
      desired: wanted.filter(({ state }) => state.reason !== 'Removing').length,
      places: [...slots],
      settings: toNodeSettings(fleet.policies.get(node.id)),
      claimed: findClaimed(fleet, presence),
      plugins: [
        ...entries
          .filter(({ state }) => state.reason !== 'Removed' && (all || state.reason !== 'Selector'))
          .map(({ plugin, state }) => toPluginOnNode(node.id, plugin, state)),
        ...findLeftovers(fleet, presence),
      ],
      refusedResources: nacks.map(nack => ({
        type: XDS_TYPES.find(type => type.typeUrl === nack.typeUrl)?.plural ?? nack.typeUrl,
        name: nack.name,
        message: nack.message,
        since: toTime(nack.at),
      })),
      warnings: findWarnings(fleet, extensions, presence, entries),
    },
  };
}

/** What the node says of itself, where that is not what it is taken for. */
function findClaimed(fleet: Fleet, { node }: NodePresence): NodeView['status']['claimed'] {
  const { namespace, labels } = fleet.claims.get(node.id) ?? node;
  const same = namespace === node.namespace && isDeepStrictEqual(labels, node.labels);
  return same ? null : { namespace, labels: { ...labels } };
}

function findWorst(entries: readonly Entry[]): NodeView['status']['worst'] {
  const here: readonly PluginState[] = entries.map(({ state }) => state.state);
  return PLUGIN_STATES.find(state => state !== 'NotTargeted' && here.includes(state)) ?? null;
}

/** Plugins that serve on the node, and whose documents were deleted. */
function findLeftovers(fleet: Fleet, { node, process, connected }: NodePresence): PluginOnNode[] {
  const verdicts = (fleet.verdicts.get(node.id) ?? []).filter(verdict => verdict.process === process);
  const names = new Set(
    verdicts.flatMap(verdict => verdict.accepted?.plugins.map(entry => entry.plugin) ?? []),
  );
  return [...names]
    .filter(name => !fleet.specs.has(name) && name !== PROBE_NAME)
    .map(name => {
      const at = verdicts.find(verdict => findInSlot(verdict.accepted, name) !== undefined);
      return toPluginOnNode(node.id, name, {
        state: 'Pending',
        reason: 'Removing',
        detail: 'the plugin was deleted',
        revision: findInSlot(at?.accepted, name)?.revision ?? null,
        desiredRevision: null,
        refusal: null,
        since: null,
        lastKnown: !connected,
      });
    });
}

function findWarnings(
  fleet: Fleet,
  extensions: readonly ResourceSpec[],
  presence: NodePresence,
  entries: readonly Entry[],
): string[] {
  const selected = entries.filter(({ state }) => state.reason !== 'Selector');
  const without = selected.filter(({ state }) => state.reason === 'NoPlace' || state.reason === 'NoV8');
  const unreachable = selected.filter(({ state }) => state.reason === 'Unreachable');
  return [
    ...findTwins(presence),
    ...findIgnoredClaims(fleet, presence),
    ...[...without, ...unreachable].map(({ plugin, state }) => `${plugin}: ${state.detail ?? state.reason}`),
    ...presence.slots
      .filter(slot => !isKnownPlace(fleet, extensions, slot, presence.node))
      .map(
        slot =>
          `place ${slot} is neither a phase (${PHASES.map(row => row.slot).join(', ')}) nor a plugin, nor is there an extension of that name: it lets everything pass`,
      ),
  ];
}

function findTwins({ node, envoys = [] }: NodePresence): string[] {
  if (envoys.length < 2) return [];
  const addresses = envoys.map(({ address }) => address).join(', ');
  return [
    `${envoys.length} Envoys are connected as ${node.id}: ${addresses}. Each is served; what is said here is of the last. Unless one is about to go, give each a node.id of its own (--service-node)`,
  ];
}

function isKnownPlace(
  { specs, rootNamespace }: Fleet,
  extensions: readonly ResourceSpec[],
  slot: string,
  node: NodeIdentity,
): boolean {
  const isPhase = PHASES.some(row => slot === row.slot || slot.startsWith(`${row.slot}/`));
  if (isPhase || [...specs.keys()].some(plugin => isPlaceOf(slot, plugin, node.namespace))) return true;
  return extensions.some(spec => toEnvoyName(spec.resource) === slot && selects(spec, node, rootNamespace));
}
