import { sha256Hex } from '../../model/plugin-spec.ts';
import type { EncodedResource } from '../../model/resource.ts';
import { type Difference, type Subscription, staying, UNKNOWN_VERSION } from '../stream/subscription.ts';

type Resources = ReadonlyMap<string, EncodedResource>;

const NOTHING: Resources = new Map();

/** What a client had when its stream ended. */
export interface FormerSet {
  readonly version: string;
  readonly bytes: Resources;
}

/** undefined: responses of this type are no sets, or nobody knows all of it. */
export function toFormerSet({ form, has, bytes }: Subscription): FormerSet | undefined {
  const all = [...has].flatMap(([name, version]) => {
    const resource = bytes.get(name);
    return resource?.version === version ? [[name, resource] as const] : [];
  });
  if (form !== 'set' || all.length < has.size) return undefined;
  const known = new Map(all);
  return { version: toSetVersion(known.values()), bytes: known };
}

/**
 * What a client has that came with the version of a set: all of it when that is the set of today, or the one that it had
 * when its former stream ended; else nobody knows what. Asked again before each push, as the resources may come later than the
 * request. Pure.
 */
export function settleClaim(
  state: Subscription,
  resources: Resources,
  former: FormerSet | undefined,
): Subscription {
  const { claim } = state;
  if (claim === undefined) return state;
  const settled = { ...state, claim: undefined };
  // Names are answered again on a new stream, whatever the client has.
  if (state.form !== 'set') return settled;
  const covered = state.wildcard
    ? resources
    : new Map([...resources].filter(([name]) => state.names.has(name)));
  const isNow = state.wildcard && claim === toSetVersion(covered.values());
  const bytes = isNow ? resources : state.wildcard && claim === former?.version ? former.bytes : undefined;
  if (bytes === undefined) {
    const has = new Map([...covered.keys()].map(name => [name, UNKNOWN_VERSION]));
    return { ...settled, has, had: versionsOf(former?.bytes ?? NOTHING) };
  }
  return { ...settled, has: versionsOf(bytes), bytes, owesGreeting: false };
}

function versionsOf(resources: Resources): ReadonlyMap<string, string> {
  return new Map([...resources].map(([name, { version }]) => [name, version]));
}

/**
 * The whole set as it stands once this difference is out: what changes, and in the bytes that the client has what does
 * not.
 */
export function toSet(
  state: Subscription,
  difference: Difference,
  resources: Resources,
): readonly EncodedResource[] {
  const changed = new Map(difference.resources.map(resource => [resource.name, resource]));
  const removed = new Set(difference.removed);
  const set: EncodedResource[] = [];
  for (const name of new Set([...state.has.keys(), ...changed.keys()])) {
    if (removed.has(name) || !(state.wildcard || state.names.has(name))) continue;
    const now = resources.get(name);
    // What is gone stays until everything new was answered.
    const stays = now === undefined ? state.bytes.get(name) : staying(state, now);
    const resource = changed.get(name) ?? stays;
    if (resource !== undefined) set.push(resource);
  }
  return set.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Equal for equal content, on every stream and replica. */
export function toSetVersion(resources: Iterable<Pick<EncodedResource, 'name' | 'version'>>): string {
  const lines = [...resources].map(({ name, version }) => `${name}\n${version}`);
  return sha256Hex(lines.sort().join('\n')).slice(0, 16);
}
