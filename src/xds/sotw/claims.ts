import type { SlotTemplate } from '../../model/snapshot.ts';
import type { SlotPush } from '../slot-bytes.ts';
import { toSlotsVersion } from './response.ts';

type Versions = ReadonlyMap<string, string>;

/** Versions of places, and the one that stands for them. */
export interface Claimed {
  readonly versions: Versions;
  readonly claim: string;
}

export const NOTHING_CLAIMED: Claimed = { versions: new Map(), claim: '' };

/**
 * By what goes out: where a fleet makes one change, all of it has the same versions before, and after. Made for each stream they
 * took 10 of the 80 µs that a push with its answer took this stage, and 7 kB.
 */
const followed = new WeakMap<
  SlotTemplate,
  { readonly before: WeakRef<Versions>; readonly name: string; readonly next: Claimed }
>();

/** What is claimed once the push is accepted. */
export function withPush(before: Versions, { name, version, template }: SlotPush): Claimed {
  const known = followed.get(template);
  if (known?.name === name && known.before.deref() === before && known.next.versions.get(name) === version)
    return known.next;
  const versions = new Map(before).set(name, version);
  const next = { versions, claim: toSlotsVersion(versions) };
  followed.set(template, { before: new WeakRef(before), name, next });
  return next;
}
