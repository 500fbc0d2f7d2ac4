import { findModuleHolds } from '../model/module-holds.ts';
import type { ModuleStorage } from '../model/module-storage.ts';
import type { Revision } from '../model/revision.ts';
import type { Fleet } from './fleet.ts';
import { toTime } from './schema/metadata.ts';
import type { ModuleView } from './schema/module-view.ts';
import { toSignatureView } from './to-signature-view.ts';

/** The modules that revisions name, each with the connected nodes that run one of those revisions. */
export function toModuleViews(
  fleet: Fleet,
  revisions: readonly Revision[],
  storage: Pick<ModuleStorage, 'here' | 'inRegistry'>,
): ModuleView[] {
  const running = countRunning(fleet);
  const holds = findHolds(fleet, revisions);
  return [...Map.groupBy(revisions, revision => revision.module.sha256)].flatMap(([sha256, group]) => {
    const [first] = group;
    if (first === undefined) return [];
    const { sizeBytes, abi, importCount, layout } = first.module;
    const nodes = new Set(group.flatMap(({ plugin, number }) => running.get(`${plugin} ${number}`) ?? []));
    return {
      kind: 'Module' as const,
      sha256,
      sizeBytes,
      abi,
      importCount,
      layout,
      from: [...new Set(group.map(revision => revision.module.url))],
      mirrors: [...new Set(group.flatMap(({ module }) => module.mirror ?? []))],
      revisions: group.map(({ plugin, number }) => ({ plugin, number })),
      here: storage.here.has(sha256),
      inRegistry: storage.inRegistry.has(sha256),
      heldBy: [...(holds.get(sha256) ?? [])],
      nodes: nodes.size,
      signatures: toSignatures(group),
      firstSeenAt: toTime(Math.min(...group.map(revision => revision.createdAt))),
    };
  });
}

function findHolds(fleet: Fleet, revisions: readonly Revision[]) {
  return findModuleHolds({
    specs: [...fleet.specs.values()].map(({ value }) => value),
    revisions,
    progress: [...fleet.progress.values()],
    assignments: [...fleet.assignments.values()],
    rollouts: [...fleet.rollouts.values()].flatMap(newestFirst => newestFirst.toReversed()),
    verdicts: [...fleet.verdicts.values()].flat(),
    now: fleet.now,
  });
}

/** What is the same of one place is told once, with the time it was last seen. */
function toSignatures(revisions: readonly Revision[]): ModuleView['signatures'] {
  const views = revisions
    .toSorted((a, b) => checkedAt(a) - checkedAt(b))
    .flatMap(({ module: { url, signature } }) => {
      const view = toSignatureView(signature);
      return view === null ? [] : [{ url, ...view }];
    });
  return [...new Map(views.map(view => [`${view.url}\n${view.text}`, view])).values()];
}

function checkedAt({ module }: Revision): number {
  return module.signature?.checkedAt ?? 0;
}

/** `<plugin> <revision>` to the connected nodes that run it. */
function countRunning(fleet: Fleet): ReadonlyMap<string, readonly string[]> {
  const found = fleet.nodes
    .filter(presence => presence.connected)
    .flatMap(({ node, process }) =>
      (fleet.verdicts.get(node.id) ?? [])
        .filter(verdict => verdict.process === process)
        .flatMap(verdict => verdict.accepted?.plugins ?? [])
        .map(({ plugin, revision }) => ({ key: `${plugin} ${revision}`, node: node.id })),
    );
  const groups = Map.groupBy(found, entry => entry.key);
  return new Map([...groups].map(([key, entries]) => [key, entries.map(entry => entry.node)]));
}
