import type { Assignment, Side } from '../model/assignment.ts';
import { type PluginName, type PluginSpec, toCanonicalJson } from '../model/plugin-spec.ts';
import type { ResourceSpec } from '../model/resource.ts';
import type { Revision } from '../model/revision.ts';
import { revisionKey } from '../store/record-kinds.ts';
import type { Fleet } from './fleet.ts';

/** What a plan starts from, and what it leads to: the same as far as the next document of a list can tell. */
export interface PlanState {
  readonly fleet: Fleet;
  /** Raw Envoy resources, by store key. */
  readonly resources: ReadonlyMap<string, ResourceSpec>;
}

/** A plugin's document in the fleet as if it were stored, together with what the module stage would make of it. */
export function withDocument(
  fleet: Fleet,
  plugin: PluginName,
  spec: PluginSpec,
  revision: Revision | undefined,
): Fleet {
  const stored = fleet.specs.get(plugin);
  const isSame = stored !== undefined && toAsked(stored.value) === toAsked(spec);
  // What is held back is so for one state of the document.
  const specRevision = isSame ? stored.revision : (stored?.revision ?? 0) + 1;
  const record = {
    key: plugin,
    value: spec,
    revision: specRevision,
    createdRevision: stored?.createdRevision ?? specRevision,
  };
  const specs = new Map([...fleet.specs, [plugin, record]]);
  if (revision === undefined) return { ...fleet, specs };
  const { number } = revision;
  const progress = { plugin, specRevision, state: 'ready', revision: number, since: fleet.now } as const;
  return {
    ...fleet,
    specs,
    progress: new Map([...fleet.progress, [plugin, progress]]),
    revisions: new Map([...fleet.revisions, [revisionKey(plugin, number), revision]]),
  };
}

/** What a document asks for: who wrote it when, why, and by which preset is beside the point. */
function toAsked({ message: _m, by: _b, preset: _p, createdAt: _c, ...asked }: PluginSpec): string {
  return toCanonicalJson(asked);
}

export function withAssignment(fleet: Fleet, assignment: Assignment): Fleet {
  return { ...fleet, assignments: new Map([...fleet.assignments, [assignment.plugin, assignment]]) };
}

/** The assignment of a plugin; of one that was never rolled out, one that has it nowhere. */
export function assignmentOf(fleet: Fleet, plugin: PluginName, createdAt: number): Assignment {
  const known = fleet.assignments.get(plugin);
  if (known !== undefined) return known;
  // Nothing that is planned depends on the format: it is the compiler's to choose.
  const format = [...fleet.assignments.values()].at(0)?.base.format ?? 1;
  return { plugin, createdAt, base: { revision: null, placement: {}, format }, moved: [], since: fleet.now };
}

/** Where the nodes are, or are being moved to. */
export function newestSide({ base, moved }: Assignment): Side {
  return moved.at(-1)?.side ?? base;
}
