import { toVersion } from '../push/attempt.ts';
import type { SlotState } from '../push/slot-state.ts';
import { toSlotsVersion } from './response.ts';

type Versions = ReadonlyMap<string, string>;

/** Sets that are compared with a claim when more than one place may hold something else: some milliseconds. */
const MOST_COMPARED = 256;

/**
 * What each place holds, by the one version that a client brings for all of them: as they stood when it was accepted,
 * where we remember that, or else as the records tell. What was accepted last may not be recorded: it was the last push
 * of a place, or what the place is to have. Places that it let go of since are in its version still. undefined: nobody
 * knows. Pure.
 */
export function recallVersions(
  claim: string,
  names: readonly string[],
  remembered: ReadonlyMap<string, Versions>,
  slots: ReadonlyMap<string, SlotState>,
): Versions | undefined {
  const known = remembered.get(claim);
  if (known !== undefined) return only(known, names);
  const possible = new Map(names.map(name => [name, possibleVersions(slots.get(name))]));
  const dropped = [...slots].filter(([name]) => !possible.has(name));
  for (const [name, slot] of dropped) possible.set(name, [undefined, ...possibleVersions(slot)]);
  for (const versions of listCandidates(possible))
    if (toSlotsVersion(versions) === claim) return only(versions, names);
  return undefined;
}

function only(versions: Versions, names: readonly string[]): Versions {
  return new Map([...versions].filter(([name]) => names.includes(name)));
}

/** What is recorded as accepted comes first; undefined: it was never answered. */
function possibleVersions(slot: SlotState | undefined): readonly (string | undefined)[] {
  const versions = [slot?.accepted != null ? toVersion(slot.accepted.contentHash, 'verdict') : undefined];
  if (slot?.tried != null) {
    const { contentHash, variant } = slot.tried;
    versions.push(toVersion(contentHash, variant));
    // A record does not say in which form it was pushed.
    if (slot.accepted?.contentHash !== contentHash) versions.push(toVersion(contentHash, 'warming'));
  }
  if (slot?.want !== undefined)
    for (const { contentHash } of [slot.want.wanted, slot.want.fallback])
      versions.push(toVersion(contentHash, 'verdict'), toVersion(contentHash, 'warming'));
  return [...new Set(versions)];
}

/** What the records say, that with one place changed, and then all there can be, if they are not too many. */
function* listCandidates(possible: ReadonlyMap<string, readonly (string | undefined)[]>): Iterable<Versions> {
  const recorded = new Map<string, string>();
  for (const [name, [accepted]] of possible) if (accepted !== undefined) recorded.set(name, accepted);
  yield recorded;
  for (const [name, versions] of possible)
    for (const version of versions) if (version !== undefined) yield new Map(recorded).set(name, version);
  const count = [...possible.values()].reduce((product, versions) => product * versions.length, 1);
  if (count <= MOST_COMPARED) yield* listAll([...possible]);
}

function* listAll(
  possible: readonly (readonly [string, readonly (string | undefined)[]])[],
): Iterable<Versions> {
  const [first, ...rest] = possible;
  if (first === undefined) {
    yield new Map();
    return;
  }
  const [name, versions] = first;
  for (const others of listAll(rest))
    for (const version of versions) yield version === undefined ? others : new Map(others).set(name, version);
}
