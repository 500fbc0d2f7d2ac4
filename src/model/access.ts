import type { NodeIdentity } from './node.ts';
import type { PluginName } from './plugin-spec.ts';
import {
  isEverything,
  isNameInScope,
  isNodeInScope,
  isReachInScope,
  type Reach,
  type Scope,
  toLabelText,
  toScopeText,
} from './scope.ts';

/** Each may do what those before it may. */
export const ROLES = ['viewer', 'deployer', 'approver', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/** What somebody was given. */
export interface Grant {
  readonly role: Role;
  readonly scope: Scope;
}

/**
 * What a request is about, as far as scopes go.
 * - `server`: nothing that a scope speaks of; `fleet`: all there is
 * - `listed`: many things; the answer leaves out what is outside
 * - `plugin`: `reaches` are the documents and revisions that choose its nodes, before and after a change
 * - `node`: that it is there; `whole-node`: all that is on it, so that plugins of others are concerned too
 * - `pullsecret`: every plugin of the namespace may name it
 * - `repository`: of the built-in registry; any plugin may follow a tag of it
 */
export type Subject =
  | { readonly kind: 'server' | 'fleet' | 'listed' }
  | { readonly kind: 'plugin'; readonly name: PluginName; readonly reaches: readonly Reach[] }
  | { readonly kind: 'resource'; readonly name: string; readonly reaches: readonly Reach[] }
  | {
      readonly kind: 'node' | 'whole-node';
      readonly node: Pick<NodeIdentity, 'id' | 'namespace' | 'labels'>;
    }
  | { readonly kind: 'pullsecret'; readonly namespace: string; readonly name: string }
  | { readonly kind: 'repository'; readonly name: string };

/** Why not, each with what would be needed. */
export type Denial =
  | { readonly by: 'role'; readonly needs: Role }
  | { readonly by: 'scope'; readonly text: string };

/**
 * The one rule of who may do what: the role is enough, and the subject lies in the scope. undefined: allowed. Nothing
 * else is asked, so that what it answers is the table in docs/access.md.
 */
export function findDenial(
  { role, scope }: Grant,
  needs: Role,
  subject: Subject,
  rootNamespace: string,
): Denial | undefined {
  if (ROLES.indexOf(role) < ROLES.indexOf(needs)) return { by: 'role', needs };
  if (isEverything(scope)) return undefined;
  const outside = findOutside(scope, subject, rootNamespace);
  return outside === undefined
    ? undefined
    : { by: 'scope', text: `${outside}; the scope is ${toScopeText(scope)}` };
}

/** What lies outside of a scope that bounds something. */
function findOutside(scope: Scope, subject: Subject, rootNamespace: string): string | undefined {
  const { plugins, nodes } = scope;
  switch (subject.kind) {
    case 'server':
    case 'listed':
      return undefined;
    case 'fleet':
      return 'this concerns the whole fleet';
    case 'plugin': {
      const { name } = subject;
      if (!isNameInScope(scope, name)) return `plugin ${name} is outside`;
      return findFarReach(scope, `plugin ${name}`, subject.reaches);
    }
    case 'resource':
      if (plugins !== undefined) return `${subject.name} is no plugin`;
      return findFarReach(scope, subject.name, subject.reaches);
    case 'node':
    case 'whole-node': {
      const { node } = subject;
      if (!isNodeInScope(scope, node, rootNamespace)) return `node ${node.id} is outside`;
      if (subject.kind === 'node' || plugins === undefined) return undefined;
      return `this concerns all plugins of node ${node.id}`;
    }
    case 'pullsecret': {
      const { namespace, name } = subject;
      const whole = plugins === undefined || plugins === `${namespace}/`;
      if (whole && nodes === undefined) return undefined;
      return `pull secret ${namespace}/${name} serves every plugin of namespace ${namespace}`;
    }
    case 'repository': {
      const { name } = subject;
      if (nodes !== undefined) return `what is pushed to ${name} can reach every node`;
      return isNameInScope(scope, name) ? undefined : `repository ${name} is outside`;
    }
    default:
      return subject satisfies never;
  }
}

function findFarReach(scope: Scope, what: string, reaches: readonly Reach[]): string | undefined {
  if (reaches.every(reach => isReachInScope(scope, reach))) return undefined;
  const labels = toLabelText(scope.nodes ?? {});
  return `${what} can reach nodes without ${labels}: its selector has to ask for ${labels}`;
}
