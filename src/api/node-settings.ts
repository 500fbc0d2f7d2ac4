import type { FixedIdentity, NodePolicy } from '../model/fleet-records.ts';
import { NODE_CLAIMS, type NodeClaims } from '../model/node-auth.ts';
import type { ApiContext, CallContext } from './api-context.ts';
import { refuseWhenFrozen } from './freeze.ts';
import { NodeError } from './node-error.ts';
import { checkNodeId, findNode, toNodeAnswer, writePolicy } from './node-policy.ts';
import { checkPreconditions, type Preconditions } from './preconditions.ts';
import type { NodeAnswer, NodeSettings } from './schema/node-view.ts';
import { type Static, Type } from './schema/type.ts';

/** No union: of one, null would be read as an empty text. */
const TextOrNull = (maxLength: number, description?: string) =>
  Type.Unsafe<string | null>({ type: ['string', 'null'], maxLength, ...(description && { description }) });
const OrLift = (description: string, maxLength: number) => Type.Optional(TextOrNull(maxLength, description));

/** The body of PATCH /v1/nodes/{id}: what is absent stays, null lifts (RFC 7396). */
export const NodeSettingsPatch = Type.Object(
  {
    namespace: OrLift('stands over what the node says', 63),
    labels: Type.Optional(
      Type.Record(Type.String(), TextOrNull(253), {
        description: 'over those that the node says of itself',
      }),
    ),
    claims: Type.Optional(
      Type.Unsafe<NodeClaims | null>({
        enum: [...NODE_CLAIMS, null],
        description:
          'what namespace and labels are worth that it says it has; null: as the setting node-claims has it',
      }),
    ),
    certificate: OrLift('the name in its certificate, and in that of no other node', 2048),
    admin: OrLift('http://HOST:PORT of the Envoy’s admin interface, as the server reaches it', 300),
    logFile: OrLift('the Envoy’s log, relative to the setting node-log-directory', 1024),
    new: Type.Optional(Type.Boolean({ description: 'it may be one that has not connected yet' })),
    message: Type.Optional(Type.String({ maxLength: 1024, description: 'why' })),
  },
  { additionalProperties: false },
);
export type NodeSettingsPatch = Static<typeof NodeSettingsPatch>;

const NAMESPACE = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

/**
 * Sets what the server side says of a node. Codes: `not-found`, `revision-mismatch`, `node-setting-wrong`, `admin-address-refused`,
 * `node-log-refused`; `frozen` where it changes what selects the node.
 */
export function configureNode(
  context: CallContext,
  node: string,
  { message, new: mayBeNew, ...patch }: NodeSettingsPatch,
  conditions: Preconditions,
): Promise<NodeAnswer> {
  return context.exclusive(async () => {
    if (mayBeNew) checkNodeId(node);
    else await findNode(context, node);
    const stored = await context.store.get('NodePolicy', node);
    checkPreconditions(conditions, stored?.revision ?? 0);
    const before = stored?.value ?? { node };
    const after = apply(context, before, patch);
    const changes = listChanges(toNodeSettings(before), toNodeSettings(after));
    if (changes.length === 0)
      return toNodeAnswer(context, node, 'unchanged', `node ${node}: nothing to change`);
    if (JSON.stringify(before.identity) !== JSON.stringify(after.identity))
      await refuseWhenFrozen(context.store);
    const why = message === undefined ? '' : `: ${message}`;
    await writePolicy(
      context,
      after,
      'node.configured',
      `${changes.join(', ')}, set by ${context.caller.who}${why}`,
      message,
    );
    const moves = changes.some(change => IDENTITY.test(change))
      ? '. It gets what selects it now at once, without the steps of a rollout'
      : '';
    const text = `node ${node}: ${changes.join(', ')}${moves}`;
    return toNodeAnswer(context, node, 'configured', text);
  });
}

/** What stands, each with its value where nobody said anything. */
export function toNodeSettings(
  policy: Pick<NodePolicy, 'identity' | 'certificate' | 'admin' | 'logFile'> = {},
): NodeSettings {
  const { identity, certificate, admin, logFile } = policy;
  return {
    namespace: identity?.namespace ?? null,
    labels: { ...identity?.labels },
    claims: identity?.claims ?? null,
    certificate: certificate ?? null,
    admin: admin ?? null,
    logFile: logFile ?? null,
  };
}

function apply(
  { nodes }: ApiContext,
  { identity, certificate, admin, logFile, ...rest }: NodePolicy,
  patch: Omit<NodeSettingsPatch, 'message' | 'new'>,
): NodePolicy {
  const fixed = patchIdentity(identity, patch);
  const name = patch.certificate === undefined ? certificate : patch.certificate;
  const address = patch.admin === undefined ? admin : patch.admin && nodes.admin.check(patch.admin);
  const file = patch.logFile === undefined ? logFile : patch.logFile && nodes.logs.check(patch.logFile);
  return {
    ...rest,
    ...(fixed === undefined ? {} : { identity: fixed }),
    ...(name ? { certificate: name } : {}),
    ...(address ? { admin: address } : {}),
    ...(file ? { logFile: file } : {}),
  };
}

/** undefined: nothing is fixed. */
function patchIdentity(
  before: FixedIdentity | undefined,
  patch: Pick<NodeSettingsPatch, 'namespace' | 'labels' | 'claims'>,
): FixedIdentity | undefined {
  const namespace = patch.namespace === undefined ? before?.namespace : (patch.namespace ?? undefined);
  if (namespace !== undefined && !NAMESPACE.test(namespace))
    throw new NodeError(
      'node-setting-wrong',
      `namespace ${namespace}: expected lower-case letters, digits and dashes`,
    );
  const labels = Object.entries({ ...before?.labels, ...patch.labels }).flatMap(([key, value]) => {
    if (key === '' || key.length > 253 || key.includes('*'))
      throw new NodeError(
        'node-setting-wrong',
        `label ${key}: expected a key of 1 to 253 characters, without *`,
      );
    return value === null ? [] : [[key, value] as const];
  });
  const claims = patch.claims === undefined ? before?.claims : (patch.claims ?? undefined);
  if (namespace === undefined && labels.length === 0 && claims === undefined) return undefined;
  return {
    ...(namespace === undefined ? {} : { namespace }),
    labels: Object.fromEntries(labels.toSorted(([a], [b]) => (a < b ? -1 : 1))),
    ...(claims === undefined ? {} : { claims }),
  };
}

/** How a change begins that says who the node is. */
const IDENTITY = /^(namespace|label|claims)\b/;

/** `namespace edge`, `label tier lifted`. */
function listChanges(before: NodeSettings, after: NodeSettings): readonly string[] {
  const keys = [...new Set([...Object.keys(before.labels), ...Object.keys(after.labels)])].sort();
  const say = (what: string, was: string | null | undefined, is: string | null | undefined): string[] =>
    was === is ? [] : [is === null || is === undefined ? `${what} lifted` : `${what} ${is}`];
  return [
    ...say('namespace', before.namespace, after.namespace),
    ...keys.flatMap(key =>
      before.labels[key] === after.labels[key]
        ? []
        : [after.labels[key] === undefined ? `label ${key} lifted` : `label ${key}=${after.labels[key]}`],
    ),
    ...say('claims', before.claims, after.claims),
    ...say('certificate', before.certificate, after.certificate),
    ...say('admin', before.admin, after.admin),
    ...say('log file', before.logFile, after.logFile),
  ];
}
