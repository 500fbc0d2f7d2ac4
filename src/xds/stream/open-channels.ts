import { XDS_TYPES } from '../../model/type-url.ts';
import type { DiscoveryRequest } from '../discovery-request.ts';
import type { Channel, SlotNames } from './channel.ts';

/* The streams that a process has at once, in the order in which they were opened. */

/** Whether a stream for this type (undefined: for all) can be another one of the same process. */
export function haveRoomFor(channels: readonly Channel[], typeUrl: string | undefined): boolean {
  // Places, routes, endpoints and secrets may have a stream each.
  const isAlone = XDS_TYPES.some(type => type.typeUrl === typeUrl && type.wildcard);
  return !channels.some(channel =>
    typeUrl === undefined ? channel.typeUrl === undefined : isAlone && channel.typeUrl === typeUrl,
  );
}

/** Whether a place that the request asks for has a stream already. */
export function havePlaceOf(channels: readonly Channel[], request: DiscoveryRequest): boolean {
  const names =
    request.form === 'sotw' ? request.names : [...request.subscribe, ...request.initialVersions.keys()];
  return names.some(name => findNewest(channels, name) !== undefined);
}

/** A place has two while a listener replaces another that asked for it elsewhere: the newest is what it is served on. */
export function findNewest(channels: readonly Channel[], slot: string): Channel | undefined {
  return channels.findLast(({ slots }) => slots.has(slot));
}

/**
 * What a request on one stream means for the process: a place that it lets go of stays where another stream asks for it. If that
 * is an older one, what the Envoy has there is not known.
 */
export function withOthers(names: SlotNames, channels: readonly Channel[], channel: Channel): SlotNames {
  if (names.unsubscribe.length === 0 || channels.length === 1) return names;
  const isOlder = (slot: string): boolean => {
    const other = findNewest(channels, slot);
    return other !== undefined && channels.indexOf(other) < channels.indexOf(channel);
  };
  return {
    ...names,
    subscribe: [...names.subscribe, ...names.unsubscribe.filter(isOlder)],
    unsubscribe: names.unsubscribe.filter(slot => findNewest(channels, slot) === undefined),
  };
}
