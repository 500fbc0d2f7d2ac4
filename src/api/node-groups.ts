import {
  type GroupMembers,
  groupNamesOf,
  isMember,
  type NodeGroup,
  nodeGroupKey,
  toMembers,
  withMembers,
} from '../model/node-group.ts';
import { parseNodeGroupDocument } from '../model/node-group-document.ts';
import { type PluginSpec, toCanonicalJson, toPluginName } from '../model/plugin-spec.ts';
import type { Operation, Store, Stored } from '../store/store.ts';
import { type ApiContext, type CallContext, readNow } from './api-context.ts';
import { ApiError } from './api-error.ts';
import type { ApplyRequest } from './apply-plugin.ts';
import { type Change, commit } from './commit.ts';
import { DocumentRejected } from './document-rejected.ts';
import type { Fleet } from './fleet.ts';
import { refuseWhenFrozen } from './freeze.ts';
import { checkPreconditions } from './preconditions.ts';
import { checkPath, withPathNamespace } from './read-document.ts';
import type { NodeGroupApplyAnswer, NodeGroupView } from './schema/node-group-view.ts';
import type { DeleteAnswer } from './schema/plugin-view.ts';
import { toMetadata } from './to-plugin-view.ts';

type Name = Pick<NodeGroup, 'namespace' | 'name'>;
export type NodeGroups = ReadonlyMap<string, NodeGroup>;

/** By store key. */
export async function readNodeGroups(store: Store): Promise<NodeGroups> {
  return new Map((await store.list('NodeGroup')).records.map(({ key, value }) => [key, value]));
}

/**
 * Validates and stores a group, and in the same transaction every plugin that names it with whom it holds now: each goes
 * to its new nodes by a rollout of its own, as after a changed selector. Codes: DocumentErrorCode, `name-mismatch`,
 * `revision-mismatch`, `frozen`.
 */
export async function applyNodeGroup(
  context: CallContext,
  request: ApplyRequest,
  body: unknown,
): Promise<NodeGroupApplyAnswer> {
  const parsed = parseNodeGroupDocument(withPathNamespace(body, request.namespace));
  if (Array.isArray(parsed)) throw new DocumentRejected(parsed);
  const { namespace, name, message } = request;
  const { dryRun } = context;
  checkPath({ ...parsed }, { namespace, name }, { namespace: '/metadata/namespace', name: '/metadata/name' });
  const key = nodeGroupKey(request);
  return context.exclusive(async () => {
    const before = await context.store.get('NodeGroup', key);
    checkPreconditions(request, before?.revision);
    const same = before !== undefined && toComparable(before.value) === toComparable(parsed);
    const result = before === undefined ? 'created' : same ? 'unchanged' : 'configured';
    if (!dryRun) await refuseWhenFrozen(context.store);
    const createdAt = before?.value.createdAt ?? context.clock.now();
    const value: NodeGroup = { ...parsed, by: context.caller.who, createdAt };
    const fleet = await readNow(context);
    const moved = findMoved(context, fleet, value, message);
    const put: Operation = {
      op: 'put',
      kind: 'NodeGroup',
      key,
      value,
      expected: before?.revision ?? 'absent',
    };
    const isWritten = !dryRun && result !== 'unchanged';
    const change = toChange(context, key, result, message);
    const revision = isWritten
      ? await commit(context, change, [put, ...moved.map(toPut)])
      : (before?.revision ?? 0);
    const stored = { key, value, revision, createdRevision: before?.createdRevision ?? revision };
    return {
      ...toNodeGroupView(stored, fleet),
      result,
      warnings: findWarnings(fleet, value),
      dryRun,
      moves: moved.map(one => one.key),
    };
  });
}

/** Codes: `not-found`, `group-in-use`, `revision-mismatch`, `frozen`. */
export function deleteNodeGroup(context: CallContext, request: ApplyRequest): Promise<DeleteAnswer> {
  const key = nodeGroupKey(request);
  return context.exclusive(async () => {
    const stored = await findNodeGroup(context, request);
    checkPreconditions(request, stored.revision);
    const { usedBy } = toNodeGroupView(stored, await readNow(context)).status;
    if (usedBy.length > 0)
      throw new ApiError('group-in-use', `node group ${key} is named by ${usedBy.join(', ')}`, {
        hint: 'They would leave their nodes. Change their targetRefs first, or delete them.',
      });
    if (!context.dryRun) {
      await refuseWhenFrozen(context.store);
      await commit(context, toChange(context, key, 'deleted', request.message), [
        { op: 'delete', kind: 'NodeGroup', key, expected: stored.revision },
      ]);
    }
    const { namespace, name } = request;
    return {
      kind: 'Deleted',
      deleted: { kind: 'NodeGroup', namespace, name },
      dryRun: context.dryRun,
      nodes: 0,
      rollout: null,
      text: `node group ${key}: deleted`,
    };
  });
}

/** Throws ApiError `not-found`. */
export async function findNodeGroup({ store }: ApiContext, of: Name): Promise<Stored<NodeGroup>> {
  const stored = await store.get('NodeGroup', nodeGroupKey(of));
  if (stored !== undefined) return stored;
  throw new ApiError('not-found', `there is no node group ${nodeGroupKey(of)}`, {
    hint: 'attache get nodegroups lists them.',
  });
}

export function toNodeGroupView(stored: Stored<NodeGroup>, fleet: Fleet): NodeGroupView {
  const { selector, nodes } = toMembers(stored.value);
  const members = membersOf(fleet, stored.value);
  return {
    kind: 'NodeGroup',
    apiVersion: 'attache/v1',
    metadata: toMetadata(stored),
    spec: {
      ...(selector === undefined ? {} : { selector: { matchLabels: { ...selector.matchLabels } } }),
      ...(nodes === undefined ? {} : { nodes: [...nodes] }),
    },
    status: {
      nodes: { known: members.length, connected: members.filter(({ connected }) => connected).length },
      usedBy: usersOf(fleet, stored.value).map(({ key }) => key),
    },
  };
}

/** What a person should know who names groups that are not there. */
export function findGroupWarnings(spec: PluginSpec): string[] {
  const { namespace, targetRefs = [] } = spec;
  return targetRefs
    .filter(({ kind, members }) => kind === 'NodeGroup' && members === undefined)
    .map(
      ({ name }) =>
        `${toPluginName(spec)} targets node group ${namespace}/${name}, and there is none: it holds no node until somebody applies it`,
    );
}

/** The plugins that name it and are meant for other nodes by it than before, as they are to be stored. */
function findMoved(
  { caller }: CallContext,
  fleet: Fleet,
  group: NodeGroup,
  message: string | undefined,
): readonly Stored<PluginSpec>[] {
  const groups = new Map<string, GroupMembers>([...fleet.groups, [nodeGroupKey(group), group]]);
  const why = `node group ${group.name}${message === undefined ? '' : `: ${message}`}`;
  return usersOf(fleet, group).flatMap(stored => {
    // What was said for one rollout is not said for this one.
    const { preset: _, ...spec } = stored.value;
    const value = withMembers(spec, groups);
    const isSame = toCanonicalJson(value.targetRefs) === toCanonicalJson(spec.targetRefs);
    return isSame ? [] : [{ ...stored, value: { ...value, message: why, by: caller.who } }];
  });
}

function usersOf(fleet: Fleet, { namespace, name }: Name): readonly Stored<PluginSpec>[] {
  return [...fleet.specs.values()].filter(
    ({ value }) =>
      value.deleted === undefined && value.namespace === namespace && groupNamesOf(value).includes(name),
  );
}

function membersOf({ nodes, rootNamespace }: Fleet, group: NodeGroup) {
  const isEverywhere = group.namespace === rootNamespace;
  return nodes.filter(
    ({ node }) => (isEverywhere || node.namespace === group.namespace) && isMember(group, node),
  );
}

function findWarnings(fleet: Fleet, group: NodeGroup): string[] {
  if (membersOf(fleet, group).length > 0) return [];
  const key = nodeGroupKey(group);
  return [`node group ${key} holds none of the ${fleet.nodes.length} nodes that are known`];
}

function toComparable(group: GroupMembers): string {
  return toCanonicalJson(toMembers(group));
}

function toPut({ key, value, revision }: Stored<PluginSpec>): Operation {
  return { op: 'put', kind: 'PluginSpec', key, value, expected: revision };
}

function toChange({ caller }: CallContext, key: string, what: string, reason: string | undefined): Change {
  const why = reason === undefined ? '' : `: ${reason}`;
  return {
    action: `nodegroup.${what}`,
    subject: key,
    reason,
    event: { message: `node group ${key} ${what} by ${caller.who}${why}` },
  };
}
