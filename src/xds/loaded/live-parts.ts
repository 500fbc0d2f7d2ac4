import { ofEach } from '../../model/of-each.ts';
import type { PluginName } from '../../model/plugin-spec.ts';
import type { PluginContent, SlotContent } from '../../model/snapshot.ts';
import type { SlotState } from '../push/slot-state.ts';

/** What a process runs in a slot: the content accepted last. */
export interface SlotParts {
  readonly contentHash: string;
  /** undefined: only the hash is known, because it was accepted before our start. */
  readonly parts: readonly Part[] | undefined;
}

/** A plugin with its configuration, as Envoy tells one from another. */
export interface Part {
  readonly plugin: PluginName;
  readonly revision: number;
  readonly partHash: string;
  /** Names its VMs: Envoy makes one set per plugin and module. */
  readonly vm: string;
  readonly moduleSha256: string;
}

/** undefined: nothing is accepted in it. */
export function partsOf({ accepted, want }: SlotState): SlotParts | undefined {
  if (accepted === null) return undefined;
  const { contentHash } = accepted;
  for (const content of [accepted.content, want?.wanted, want?.fallback])
    if (content?.contentHash === contentHash) return partsIn(content);
  return { contentHash, parts: undefined };
}

/** One for all processes that have the content: what they have is told apart by it. */
const partsIn = ofEach(
  (content: SlotContent): SlotParts => ({
    contentHash: content.contentHash,
    parts: content.plugins.map(toPart),
  }),
);

function toPart({ plugin, revision, partHash, moduleSha256 }: PluginContent): Part {
  return { plugin, revision, partHash, vm: `${plugin}@${moduleSha256}`, moduleSha256 };
}

/** Set of VMs to the parts that run in it, over all slots; undefined: a slot's content is not known. */
export type LiveVms = ReadonlyMap<string, ReadonlySet<string>>;

export function liveVms(slots: ReadonlyMap<string, SlotParts>): LiveVms | undefined {
  const [only, ...others] = slots.values();
  if (only === undefined) return NO_VMS;
  return others.length > 0 ? findLiveVms(slots.values()) : vmsOfOne(only);
}

const NO_VMS: LiveVms = new Map();

/** A process with one place has what many others have. */
const vmsOfOne = ofEach((slot: SlotParts): LiveVms | undefined => findLiveVms([slot]));

function findLiveVms(slots: Iterable<SlotParts>): LiveVms | undefined {
  const vms = new Map<string, Set<string>>();
  for (const { parts } of slots) {
    if (parts === undefined) return undefined;
    for (const { vm, partHash } of parts) vms.set(vm, (vms.get(vm) ?? new Set()).add(partHash));
  }
  return vms;
}
