import type { Refusal } from '../model/assignment.ts';
import { toPluginDocumentSpec } from '../model/plugin-document.ts';
import type { PluginSpec } from '../model/plugin-spec.ts';
import { type NodePluginState, toCauseText } from '../model/plugin-state.ts';
import type { ModuleFacts, Revision } from '../model/revision.ts';
import { revisionKey } from '../store/record-kinds.ts';
import type { Store, Stored } from '../store/store.ts';
import { type Fleet, statesOf, statusOf } from './fleet.ts';
import { type Metadata, toTime } from './schema/metadata.ts';
import type { PluginOnNode } from './schema/node-view.ts';
import type { ModuleOfRevision, PluginView, RevisionView } from './schema/plugin-view.ts';

/** A plugin as an answer; `withNodes` adds an entry for each node that it selects. */
export async function toPluginView(
  store: Store,
  fleet: Fleet,
  stored: Stored<PluginSpec>,
  withNodes = false,
): Promise<PluginView> {
  const states = statesOf(fleet, stored.value);
  const status = statusOf(
    fleet,
    stored,
    states.map(({ state }) => state),
  );
  const number = status.currentRevision ?? status.desiredRevision;
  const revision = number === null ? undefined : await store.get('Revision', revisionKey(stored.key, number));
  const refused = fleet.assignments.get(stored.key)?.refused;
  const { since, ...words } = status;
  return {
    kind: 'Plugin',
    apiVersion: 'attache/v1',
    metadata: toMetadata(stored),
    spec: toPluginDocumentSpec(stored.value),
    status: {
      ...words,
      module: revision === undefined ? null : toModuleOfRevision(revision.value.module),
      refusal: refused === undefined ? null : toRefusal(refused, stored.key),
      since: toTime(since),
    },
    ...(withNodes
      ? {
          onNodes: states
            .filter(({ state }) => state.reason !== 'Selector')
            .map(({ node, state }) => toPluginOnNode(node.node.id, stored.key, state)),
        }
      : {}),
  };
}

export function toMetadata(
  stored: Stored<{ readonly namespace: string; readonly name: string; readonly createdAt: number }>,
): Metadata {
  const { namespace, name, createdAt } = stored.value;
  return { namespace, name, resourceVersion: String(stored.revision), createdAt: toTime(createdAt) };
}

export function toPluginOnNode(node: string, plugin: string, state: NodePluginState): PluginOnNode {
  const { refusal, since, ...words } = state;
  return {
    node,
    plugin,
    ...words,
    refusedRevision: refusal?.revision ?? null,
    refusedSince: refusal === null ? null : toTime(refusal.at),
    message: refusal?.message ?? null,
    cause: refusal?.cause ?? null,
    since: since === null ? null : toTime(since),
  };
}

export function toModuleOfRevision(module: ModuleFacts): ModuleOfRevision {
  const { sha256, sizeBytes, url, layout, abi, importCount } = module;
  return {
    sha256,
    sizeBytes,
    url,
    referenceDigest: module.referenceDigest ?? null,
    manifestDigest: module.manifestDigest ?? null,
    layout,
    abi,
    importCount,
  };
}

export function toRevisionView(fleet: Fleet, revision: Revision): RevisionView {
  const assignment = fleet.assignments.get(revision.plugin);
  const refused = assignment?.refused?.revision === revision.number;
  const { config } = revision;
  return {
    kind: 'Revision',
    plugin: revision.plugin,
    number: revision.number,
    contentHash: revision.contentHash,
    config: revision.configHash.slice(0, 6),
    result: refused ? 'refused' : assignment?.revision === revision.number ? 'live' : 'superseded',
    module: toModuleOfRevision(revision.module),
    spec: { ...config },
    message: revision.message ?? null,
    createdAt: toTime(revision.createdAt),
  };
}

function toRefusal({ revision, node, message, at }: Refusal, plugin: string) {
  return { revision, node, message, since: toTime(at), cause: toCauseText(plugin) };
}
