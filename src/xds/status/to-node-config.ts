import type { NodePresence } from '../../model/node.ts';
import type { NodeConfig, ResourceConfig } from '../../model/node-config.ts';
import type { NodeVerdict } from '../../model/node-verdict.ts';
import type { EncodedResource } from '../../model/resource.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import { EXTENSION_CONFIG_TYPE, XDS_TYPES } from '../../model/type-url.ts';
import { toPlaceConfig } from './place-config.ts';
import { toResourceConfig } from './resource-config.ts';
import { EVERY_NAME, type ResourceState } from './resource-states.ts';

/** All that is known of a node's resources. */
export interface NodeFacts {
  readonly presence: NodePresence;
  /** By slot; of whichever process they are. */
  readonly verdict: (slot: string) => NodeVerdict | undefined;
  /** undefined: nothing was compiled for the node. */
  readonly snapshot: Snapshot | undefined;
  readonly states: Iterable<ResourceState>;
}

const NONE: ReadonlyMap<string, EncodedResource> = new Map();

/** Everything that the node has, was sent or is to have, with how far it got. */
export function toNodeConfig(facts: NodeFacts): NodeConfig {
  const states = Map.groupBy(facts.states, ({ typeUrl }) => typeUrl);
  const resources = XDS_TYPES.flatMap(({ typeUrl }) =>
    typeUrl === EXTENSION_CONFIG_TYPE ? placesOf(facts) : resourcesOf(facts, typeUrl, states.get(typeUrl)),
  );
  return { node: facts.presence.node, resources };
}

function resourcesOf(
  { presence: { connected }, snapshot }: NodeFacts,
  typeUrl: string,
  states: readonly ResourceState[] = [],
): readonly ResourceConfig[] {
  const wanted = snapshot?.resources.get(typeUrl) ?? NONE;
  const byName = Map.groupBy(states, ({ name }) => name);
  const all = byName.get(EVERY_NAME) ?? [];
  // A name that is asked for and is nowhere is no resource.
  const known = states.filter(({ state }) => state !== 'asked').map(({ name }) => name);
  return [...new Set([...wanted.keys(), ...known])].sort().map(name =>
    toResourceConfig({
      typeUrl,
      name,
      wanted: wanted.get(name),
      states: [...all, ...(byName.get(name) ?? [])],
      connected,
    }),
  );
}

/** The slots that the process asked for, and those of listeners that it is to have. */
function placesOf({ presence, verdict, snapshot }: NodeFacts): readonly ResourceConfig[] {
  const { connected, process } = presence;
  const listed = [...(snapshot?.listenerSlots.values() ?? [])].flatMap(({ slots }) => slots);
  return [...new Set([...presence.slots, ...listed])].sort().map(slot => {
    const known = verdict(slot);
    return toPlaceConfig({
      slot,
      wanted: snapshot?.slot(slot).wanted,
      verdict: known?.process === process ? known : undefined,
      connected,
      asked: connected && presence.slots.includes(slot),
    });
  });
}
