import { toCauseText } from '../model/node-refusal.ts';
import { toPluginDocumentSpec } from '../model/plugin-document.ts';
import { isOciUrl, type JsonObject, type PluginSpec } from '../model/plugin-spec.ts';
import type { NodePluginState } from '../model/plugin-state.ts';
import type { PluginStatus } from '../model/plugin-status.ts';
import type { ModuleFacts } from '../model/revision.ts';
import { isActive } from '../model/rollout.ts';
import { revisionKey } from '../store/record-kinds.ts';
import type { Store, Stored } from '../store/store.ts';
import { type Fleet, statesOf } from './fleet.ts';
import { toHeldBackView } from './held-back.ts';
import { statusOf } from './plugin-status-of.ts';
import { readRolloutFacts } from './rollout-facts.ts';
import { toPlanText, toWhy } from './rollout-words.ts';
import { type Metadata, toTime } from './schema/metadata.ts';
import type { PluginOnNode } from './schema/node-view.ts';
import type { ModuleOfRevision, PluginView } from './schema/plugin-view.ts';
import { toSignatureView } from './to-signature-view.ts';
import { toTrialView } from './to-trial-view.ts';

export interface PluginViewOptions {
  /** Adds an entry for each node that it selects. Default false. */
  readonly withNodes?: boolean;
}

/** A plugin as an answer. */
export async function toPluginView(
  store: Store,
  fleet: Fleet,
  stored: Stored<PluginSpec>,
  { withNodes = false }: PluginViewOptions = {},
): Promise<PluginView> {
  const { key, value: spec } = stored;
  const status = statusOf(fleet, stored);
  const { rollout, why } = await toRolloutPart(store, fleet, key);
  const number = status.currentRevision ?? status.desiredRevision;
  const revision = number === null ? undefined : await store.get('Revision', revisionKey(key, number));
  const { since, phase, reason, message, hint, code, settled, currentRevision, desiredRevision, nodes } =
    status;
  return {
    kind: 'Plugin',
    apiVersion: 'attache/v1',
    metadata: toMetadata(stored),
    spec: toShownSpec(fleet, stored, status),
    status: {
      phase,
      reason,
      // Where both speak of a failure, they say the same.
      message: rollout?.phase === phase ? (why ?? message) : message,
      hint,
      code,
      settled,
      currentRevision,
      desiredRevision,
      module: revision === undefined ? null : toModuleOfRevision(revision.value.module),
      nodes,
      refusal: toRefusal(fleet, key, status),
      rollout,
      heldBack: toHeldBackView(fleet, key, status),
      tag: toTagView(fleet, stored),
      deleted: toDeletedView(spec),
      since: toTime(since),
    },
    ...(withNodes
      ? {
          onNodes: statesOf(fleet, spec)
            .filter(({ state }) => state.reason !== 'Selector' && state.reason !== 'Removed')
            .map(({ node, state }) => toPluginOnNode(node.node.id, key, state)),
        }
      : {}),
  };
}

async function toRolloutPart(
  store: Store,
  fleet: Fleet,
  plugin: string,
): Promise<{ readonly rollout: PluginView['status']['rollout']; readonly why: string | null }> {
  const [newest] = fleet.rollouts.get(plugin) ?? [];
  if (newest === undefined) return { rollout: null, why: null };
  const facts = await readRolloutFacts(store, fleet, newest, false);
  const { id, phase, by } = newest;
  const rollout = { id, phase, active: isActive(newest), plan: toPlanText(facts), by };
  return { rollout, why: newest.failure === undefined ? null : toWhy(facts) };
}

/** While the document is held back, what is good is what is wanted, fetched and signed as the document says. */
export function toShownSpec(
  fleet: Fleet,
  { key, value: spec }: Stored<PluginSpec>,
  { heldBack, currentRevision }: PluginStatus,
): JsonObject {
  const base = fleet.assignments.get(key)?.base;
  const good =
    heldBack === null || currentRevision === null
      ? undefined
      : fleet.revisions.get(revisionKey(key, currentRevision));
  if (good === undefined || base === undefined) return toPluginDocumentSpec(spec);
  const { namespace, name, rollout } = spec;
  const { env, match, phase, priority, ...config } = good.config;
  return toPluginDocumentSpec({
    namespace,
    name,
    url: good.module.url,
    ...toPullFields(spec, good.module),
    ...config,
    ...(env.length === 0 ? {} : { env }),
    ...(match.length === 0 ? {} : { match }),
    ...(phase === 'UNSPECIFIED_PHASE' ? {} : { phase }),
    ...(priority === 0 ? {} : { priority }),
    ...base.placement,
    ...(rollout === undefined ? {} : { rollout }),
  });
}

/** No revision holds them; who patches what is shown would take them away unseen. */
function toPullFields(
  { sha256, imagePullPolicy, imagePullSecret, verificationKey }: PluginSpec,
  module: ModuleFacts,
): Pick<PluginSpec, 'sha256' | 'imagePullPolicy' | 'imagePullSecret' | 'verificationKey'> {
  const isOci = isOciUrl(module.url);
  const pin = isOci ? (module.referenceDigest ?? module.manifestDigest) : module.sha256;
  return {
    ...(sha256 === undefined || pin === undefined ? {} : { sha256: pin.replace(/^sha256:/, '') }),
    ...(imagePullPolicy === undefined ? {} : { imagePullPolicy }),
    ...(imagePullSecret === undefined ? {} : { imagePullSecret }),
    // Only what comes from a registry can be signed.
    ...(verificationKey === undefined || !isOci ? {} : { verificationKey }),
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
    mirror: module.mirror ?? null,
    layout,
    abi,
    importCount,
    signature: toSignatureView(module.signature),
    trial: toTrialView(module.trial),
  };
}

/** The refusal that the newest rollout ended with, or that holds back what the document asks for. */
function toRefusal(
  fleet: Fleet,
  plugin: string,
  { heldBack }: PluginStatus,
): PluginView['status']['refusal'] {
  const rollouts = fleet.rollouts.get(plugin) ?? [];
  const [newest] = rollouts;
  const held = rollouts.find(({ id }) => heldBack !== null && id === heldBack.rollout);
  const found = [newest, held].find(rollout => rollout?.failure?.kind === 'refusal');
  if (found?.failure === undefined || found.to?.revision == null) return null;
  const { node = '', nodes, text, at } = found.failure;
  const first = node === '' ? (nodes[0] ?? '') : node;
  return {
    revision: found.to.revision,
    node: first,
    message: text,
    since: toTime(at),
    cause: toCauseText(plugin),
  };
}

/** Of an older document it says nothing about this one. */
function toTagView(fleet: Fleet, { key, revision }: Stored<PluginSpec>): PluginView['status']['tag'] {
  const progress = fleet.progress.get(key);
  if (progress?.tag === undefined || progress.specRevision !== revision) return null;
  const { code, message, hint, since } = progress.tag;
  return { code, message, hint: hint ?? null, since: toTime(since) };
}

function toDeletedView({ deleted }: PluginSpec): PluginView['status']['deleted'] {
  if (deleted === undefined) return null;
  const { by, message, at } = deleted;
  return { by, message: message ?? null, since: toTime(at) };
}
