import type { Revision } from '../model/revision.ts';
import { quarantineKey } from '../store/record-kinds.ts';
import type { Fleet } from './fleet.ts';
import { toTime } from './schema/metadata.ts';
import type { RevisionView } from './schema/plugin-view.ts';
import { toModuleOfRevision } from './to-plugin-view.ts';

/** A revision as an answer. */
export function toRevisionView(fleet: Fleet, revision: Revision): RevisionView {
  return {
    kind: 'Revision',
    plugin: revision.plugin,
    number: revision.number,
    contentHash: revision.contentHash,
    config: revision.configHash.slice(0, 6),
    result: toResult(fleet, revision),
    module: toModuleOfRevision(revision.module),
    spec: { ...revision.config },
    message: revision.message ?? null,
    createdAt: toTime(revision.createdAt),
  };
}

function toResult(fleet: Fleet, { plugin, number, contentHash }: Revision): RevisionView['result'] {
  const assignment = fleet.assignments.get(plugin);
  const sides =
    assignment === undefined ? [] : [assignment.base, ...assignment.moved.map(({ side }) => side)];
  if (sides.some(({ revision }) => revision === number)) return 'live';
  const key = quarantineKey(plugin, contentHash);
  const found = fleet.quarantines.find(one => quarantineKey(one.plugin, one.contentHash) === key);
  if (found === undefined) return 'superseded';
  return found.cause === 'refused' ? 'refused' : 'held-back';
}
