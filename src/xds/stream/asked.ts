import type { ResourceNack } from '../../model/node.ts';
import type { EncodedResource } from '../../model/resource.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import { EXTENSION_CONFIG_TYPE } from '../../model/type-url.ts';
import type { NamesBefore } from '../limits/count-names.ts';
import type { Channel } from './channel.ts';
import type { InFlight, Subscription } from './subscription.ts';

/** What one stream asked for of one type, extension configs apart. */
export interface Asked {
  readonly channel: Channel;
  readonly typeUrl: string;
  state: Subscription;
  /** When nothing of it was due last. */
  quiet?: Quiet;
}

/** Nothing is due to a subscription in this state while these are the resources. */
interface Quiet {
  readonly state: Subscription;
  readonly resources: ReadonlyMap<string, EncodedResource>;
}

const NO_NAMES: ReadonlySet<string> = new Set();
const NOTHING: ReadonlyMap<string, EncodedResource> = new Map();

export function findAsked(
  everything: readonly Asked[],
  channel: Channel,
  typeUrl: string,
): Asked | undefined {
  return everything.find(asked => asked.channel === channel && asked.typeUrl === typeUrl);
}

/** What all streams of a process asked for before a request for this type on this one. */
export function findNamesBefore(
  everything: readonly Asked[],
  channels: readonly Channel[],
  channel: Channel,
  typeUrl: string,
): NamesBefore {
  const ofPlaces = typeUrl === EXTENSION_CONFIG_TYPE ? channel.slots : undefined;
  const ofType = findAsked(everything, channel, typeUrl)?.state.names ?? ofPlaces ?? NO_NAMES;
  let all = 0;
  for (const { slots } of channels) all += slots.size;
  for (const { state } of everything) all += state.names.size;
  return { ofType, others: all - ofType.size };
}

/** All that is refused. */
export function toNacks(everything: readonly Asked[], at: number): readonly ResourceNack[] {
  return everything.flatMap(({ typeUrl, state }) =>
    [...state.refused].map(([name, { version, message }]) => ({ typeUrl, name, version, message, at })),
  );
}

export function namesOf({ sent, removed }: InFlight): readonly string[] {
  return [...sent.keys(), ...removed];
}

export function resourcesOf(snapshot: Snapshot, typeUrl: string): ReadonlyMap<string, EncodedResource> {
  return snapshot.resources.get(typeUrl) ?? NOTHING;
}
