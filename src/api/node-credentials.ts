import type { ApiContext, CallContext } from './api-context.ts';
import { commit } from './commit.ts';
import { NodeError } from './node-error.ts';
import { checkNodeId, type NodeChange, toNodeAnswer, writePolicy } from './node-policy.ts';
import { checkPreconditions } from './preconditions.ts';
import type { NodeAnswer, NodeToken } from './schema/node-view.ts';

/**
 * Answers what proves an Envoy to be this node, known or not: the same at each call, until it is revoked; a dry run
 * gives none. Codes:
 * `node-token-unused`, `node-setting-wrong`.
 */
export async function giveNodeToken(context: CallContext, node: string): Promise<NodeToken> {
  const { envoyAccess, store, caller, dryRun } = context;
  checkNodeId(node);
  if (envoyAccess.auth !== 'token')
    throw new NodeError('node-token-unused', 'node tokens prove nothing to this server', {
      hint: `It takes ${envoyAccess.auth === 'mtls' ? 'certificates' : 'every Envoy for what it says'}: it was not started with --node-auth token.`,
    });
  const revokedAt = (await store.get('NodePolicy', node))?.value.revoked?.at ?? 0;
  const event = { node, message: `a token for ${node} was given to ${caller.who}` };
  await commit(context, { action: 'node.token', subject: node, reason: undefined, event }, []);
  // What is not told of is not given.
  return { kind: 'NodeToken', node, dryRun, token: dryRun ? null : envoyAccess.makeToken(node, revokedAt) };
}

/** From now on nothing proves a node that did before. Codes: `revision-mismatch`, `node-setting-wrong`. */
export function revokeNode(
  context: CallContext,
  node: string,
  { message, ...conditions }: NodeChange,
): Promise<NodeAnswer> {
  checkNodeId(node);
  return context.exclusive(async () => {
    const { caller, clock, store } = context;
    const stored = await store.get('NodePolicy', node);
    checkPreconditions(conditions, stored?.revision ?? 0);
    const revoked = { by: caller.who, message: message ?? null, at: clock.now() };
    const why = message === undefined ? '' : `: ${message}`;
    const what = `what proved it until now was revoked by ${caller.who}${why}`;
    await writePolicy(context, { ...stored?.value, node, revoked }, 'node.revoked', what, message);
    const text = `node ${node}: what proved it until now proves it no more, and its connections end. ${toNext(context, node)}`;
    return toNodeAnswer(context, node, 'revoked', text);
  });
}

function toNext({ envoyAccess }: ApiContext, node: string): string {
  switch (envoyAccess.auth) {
    case 'token':
      return `For a new token: attache node token ${node}`;
    case 'mtls':
      return 'A certificate that is issued from now on counts again';
    case 'none':
      return 'This server takes every Envoy for what it says: it was started without --node-auth mtls or token';
  }
}
