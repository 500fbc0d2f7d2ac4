import { type Denial, findDenial, type Role, type Subject } from '../../model/access.ts';
import type { Caller } from '../../model/caller.ts';
import { isEverything, type Reach } from '../../model/scope.ts';
import type { CallContext } from '../api-context.ts';
import { ApiError } from '../api-error.ts';
import { readPluginSubject, readSubject } from './subjects.ts';

/** Throws `forbidden` where the caller of a change has not the right to it. */
export function requireRight({ caller, rootNamespace }: CallContext, needs: Role, subject: Subject): void {
  const denial = findDenial(caller, needs, subject, rootNamespace);
  if (denial !== undefined) throw toForbidden(caller, denial);
}

/**
 * Within a write, so that nothing can come between: all nodes that a plugin has, and that the change gives it, are the
 * caller's. Throws `forbidden`.
 */
export async function requirePlugin(
  context: CallContext,
  plugin: string,
  more: readonly Reach[] = [],
): Promise<void> {
  if (isEverything(context.caller.scope)) return;
  requireRight(context, 'deployer', await readPluginSubject(context.store, plugin, more));
}

/** The same of a raw resource, by its key. Throws `forbidden`. */
export async function requireResource(
  context: CallContext,
  key: string,
  more: readonly Reach[] = [],
): Promise<void> {
  if (isEverything(context.caller.scope)) return;
  const stored = await context.store.get('ResourceSpec', key);
  const reaches = [...(stored === undefined ? [] : [stored.value]), ...more];
  requireRight(context, 'deployer', { kind: 'resource', name: key, reaches });
}

/** The same of all that is on a node. Throws `forbidden`. */
export async function requireWholeNode(context: CallContext, id: string): Promise<void> {
  if (isEverything(context.caller.scope)) return;
  const subject = await readSubject(context.store, 'whole-node', { id });
  if (subject !== undefined) requireRight(context, 'deployer', subject);
}

/** What would be needed is named: the role, or what of the scope. */
export function toForbidden({ who, role, token }: Caller, denial: Denial): ApiError {
  const whose = token === undefined ? who : `the token ${who}`;
  return denial.by === 'role'
    ? new ApiError('forbidden', `this takes the role ${denial.needs}, and ${whose} has ${role}`, {
        hint: `Ask an admin for a token with the role ${denial.needs}.`,
      })
    : new ApiError('forbidden', `outside the scope of ${whose}: ${denial.text}`, {
        hint: 'Ask an admin for a token with another scope, or for the change.',
      });
}
