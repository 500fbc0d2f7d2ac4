import type { NodePolicy } from '../model/fleet-records.ts';
import type { NodePresence } from '../model/node.ts';
import { requireWholeNode } from './access/require.ts';
import type { ApiContext, CallContext } from './api-context.ts';
import { ApiError } from './api-error.ts';
import { commit } from './commit.ts';
import { refuseWhenFrozen } from './freeze.ts';
import { NodeError } from './node-error.ts';
import { checkPreconditions, type Preconditions } from './preconditions.ts';
import type { NodeAnswer } from './schema/node-view.ts';
import { waitUntil } from './wait-until.ts';

/** What holds for any change of a node: what has to be so before, and why. */
export interface NodeChange extends Preconditions {
  readonly message: string | undefined;
}

/** Takes a node out of all rollouts. Codes: `not-found`, `revision-mismatch`, `forbidden`. */
export function excludeNode(
  context: CallContext,
  node: string,
  { message, ...conditions }: NodeChange,
): Promise<NodeAnswer> {
  return context.exclusive(async () => {
    const { policy: before } = await readPolicy(context, node, conditions);
    await requireWholeNode(context, node);
    const excluded = {
      by: context.caller.who,
      message: message ?? before?.excluded?.message ?? null,
      at: before?.excluded?.at ?? context.clock.now(),
    };
    const result = before?.excluded === undefined ? 'excluded' : 'unchanged';
    if (before?.excluded === undefined || before.excluded.message !== excluded.message)
      await writePolicy(
        context,
        { ...before, node, excluded },
        'node.excluded',
        toReason(context, 'excluded', message),
        message,
      );
    const text = `node ${node} is excluded: it takes part in no rollout, leaves all counts, and runs what was proven last`;
    return toNodeAnswer(context, node, result, text);
  });
}

/** Lets a node take part again. Codes: `not-found`, `revision-mismatch`, `forbidden`, `frozen`. */
export function includeNode(
  context: CallContext,
  node: string,
  { message, ...conditions }: NodeChange,
): Promise<NodeAnswer> {
  return context.exclusive(async () => {
    const { policy: before } = await readPolicy(context, node, conditions);
    await requireWholeNode(context, node);
    if (before?.excluded === undefined)
      return toNodeAnswer(context, node, 'unchanged', `node ${node} was not excluded`);
    await refuseWhenFrozen(context.store);
    const { excluded: _lifted, ...rest } = before;
    await writePolicy(context, rest, 'node.included', toReason(context, 'included', message), message);
    const text = `node ${node} takes part again, and gets what the others of its step have`;
    return toNodeAnswer(context, node, 'included', text);
  });
}

/**
 * Forgets a node that is gone. `done` false: asked for, and still to come. Codes: `not-found`, `revision-mismatch`,
 * `node-connected`.
 */
export async function forgetNode(
  context: CallContext,
  node: string,
  { message, ...conditions }: NodeChange,
): Promise<{ readonly answer: NodeAnswer; readonly done: boolean }> {
  const at = await context.exclusive(async () => {
    const { presence, policy: before } = await readPolicy(context, node, conditions);
    if (presence.connected)
      throw new ApiError('node-connected', `node ${node} is connected: it would be known again at once`, {
        hint: `Stop its Envoy first; or take it out of rollouts: attache node exclude ${node}`,
      });
    const forget = { by: context.caller.who, message: message ?? null, at: context.clock.now() };
    await writePolicy(
      context,
      { ...before, node, forget },
      'node.forgotten',
      toReason(context, 'forgotten', message),
      message,
    );
    return forget.at;
  });
  if (context.dryRun)
    return { answer: toNodeAnswer(context, node, 'forgotten', `node ${node} is forgotten`), done: true };
  const gone = await waitUntil(context, ['NodePresence'], async () => {
    const presence = (await context.store.get('NodePresence', node))?.value;
    // One that came back meanwhile is a new one.
    return presence === undefined || presence.firstSeenAt > at ? true : undefined;
  });
  const text =
    gone === true
      ? `node ${node} forgotten. It comes back as new if it connects again.`
      : `node ${node} is being forgotten. It comes back as new if it connects again.`;
  return { answer: toNodeAnswer(context, node, 'forgotten', text), done: gone === true };
}

export function toNodeAnswer(
  { dryRun }: CallContext,
  node: string,
  result: NodeAnswer['result'],
  text: string,
): NodeAnswer {
  return { kind: 'NodeAnswer', node, result, dryRun, text: dryRun ? `dry run: ${text}` : text };
}

/**
 * A node and what is stored of it from the server's side; the version of a node is that of its policy, 0 before the
 * first. Throws `not-found`, `revision-mismatch`.
 */
export async function readPolicy(
  context: ApiContext,
  node: string,
  conditions: Preconditions,
): Promise<{ readonly presence: NodePresence; readonly policy: NodePolicy | undefined }> {
  const presence = await findNode(context, node);
  const stored = await context.store.get('NodePolicy', node);
  checkPreconditions(conditions, stored?.revision ?? 0);
  return { presence, policy: stored?.value };
}

/** For one that has not connected yet. Throws NodeError `node-setting-wrong`. */
export function checkNodeId(node: string): void {
  if (node !== '' && node.length <= 253 && !/\p{C}/u.test(node)) return;
  throw new NodeError('node-setting-wrong', 'a node.id has 1 to 253 characters, all of them printable');
}

/** Throws `not-found`. */
export async function findNode({ store }: ApiContext, node: string): Promise<NodePresence> {
  const presence = (await store.get('NodePresence', node))?.value;
  if (presence !== undefined) return presence;
  throw new ApiError('not-found', `there is no node ${node}`, {
    hint: 'A node is known from its first connection on. Before that it can be set: attache node set ID --new',
  });
}

/** With an event of this type: `<node> <what>`. */
export async function writePolicy(
  context: CallContext,
  value: NodePolicy,
  action: string,
  what: string,
  reason: string | undefined,
): Promise<void> {
  const { node } = value;
  const change = { action, subject: node, reason, event: { node, message: `${node} ${what}` } };
  await commit(context, change, [{ op: 'put', kind: 'NodePolicy', key: node, value }]);
}

function toReason({ caller }: CallContext, what: string, message: string | undefined): string {
  return `${what} by ${caller.who}${message === undefined ? '' : `: ${message}`}`;
}
