import { type ApiToken, isExpired, toTokenPrefix } from '../../model/api-token.ts';
import type { Caller } from '../../model/caller.ts';
import { toTime } from '../schema/metadata.ts';
import type { WhoAmI } from '../schema/server-view.ts';
import type { TokenView } from '../schema/token-view.ts';

/** What may be shown of a token: neither it nor its hash. */
export function toTokenView(token: ApiToken, usedAt: number | undefined, now: number): TokenView {
  const { name, role, scope, createdBy, createdAt, expiresAt } = token;
  return {
    kind: 'Token',
    name,
    prefix: toTokenPrefix(token),
    role,
    plugins: scope.plugins ?? null,
    nodes: scope.nodes === undefined ? null : { ...scope.nodes },
    createdBy,
    createdAt: toTime(createdAt),
    expiresAt: expiresAt === undefined ? null : toTime(expiresAt),
    expired: isExpired(token, now),
    lastUsedAt: usedAt === undefined ? null : toTime(usedAt),
  };
}

export function toWhoAmI({ who, role, scope, token }: Caller): WhoAmI {
  return {
    name: who,
    role,
    how: token === undefined ? 'no token needed' : `token ${toTokenPrefix(token)}`,
    plugins: scope.plugins ?? null,
    nodes: scope.nodes === undefined ? null : { ...scope.nodes },
    expiresAt: token?.expiresAt === undefined ? null : toTime(token.expiresAt),
  };
}
