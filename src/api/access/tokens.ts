import { type ApiToken, isExpired, isTokenName, makeToken, parseExpiry } from '../../model/api-token.ts';
import type { Fault } from '../../model/error.ts';
import { findNearestName } from '../../model/nearest-name.ts';
import { isEverything, isPluginPrefix, type Scope, toScopeText } from '../../model/scope.ts';
import type { Stored } from '../../store/store.ts';
import type { ApiContext, CallContext } from '../api-context.ts';
import { ApiError } from '../api-error.ts';
import { commit } from '../commit.ts';
import { toTime } from '../schema/metadata.ts';
import type { NewToken, TokenCreated, TokenRevoked, TokenView } from '../schema/token-view.ts';
import { toTokenView } from './to-token-view.ts';

/** By name. */
export async function listTokens({ store, clock }: ApiContext): Promise<TokenView[]> {
  const [tokens, uses] = await Promise.all([store.list('Token'), store.list('TokenUse')]);
  const usedAt = new Map(uses.records.map(({ key, value }) => [key, value.at]));
  return tokens.records
    .map(({ key, value }) => toTokenView(value, usedAt.get(key), clock.now()))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** Codes: `not-found`. */
export async function readToken(context: ApiContext, name: string): Promise<TokenView> {
  const { key, value } = await findToken(context, name);
  const use = await context.store.get('TokenUse', key);
  return toTokenView(value, use?.value.at, context.clock.now());
}

/**
 * Makes a token; the answer is the only place where it ever stands. Codes: `token-wrong` with a fault per field,
 * `token-exists`.
 */
export async function createToken(context: CallContext, wanted: NewToken): Promise<TokenCreated> {
  const faults = findFaults(wanted);
  if (faults.length > 0)
    throw new ApiError('token-wrong', faults.map(({ message }) => message).join('; '), { faults });
  return context.exclusive(async () => {
    const { name } = wanted;
    const { records } = await context.store.list('Token');
    if (records.some(({ value }) => value.name === name))
      throw new ApiError('token-exists', `there is a token ${name} already`, {
        hint: `A token never changes. Take another name, or first: attache token revoke ${name}`,
      });
    const { id, token, sha256 } = makeToken(context.random);
    const value = toRecord(context, wanted, { id, sha256 });
    const said = `token ${name} created by ${context.caller.who}: ${toGrantText(value)}`;
    await commit(
      context,
      { action: 'token.created', subject: name, reason: wanted.message, event: { message: said } },
      [{ op: 'put', kind: 'Token', key: id, value, expected: 'absent' }],
    );
    const { dryRun } = context;
    const view = toTokenView(value, undefined, context.clock.now());
    return { ...view, kind: 'TokenCreated', token: dryRun ? null : token, dryRun };
  });
}

/** What it was used for ends at once. Codes: `not-found`. */
export function revokeToken(context: CallContext, name: string, message?: string): Promise<TokenRevoked> {
  return context.exclusive(async () => {
    const { key, revision } = await findToken(context, name);
    const said = `token ${name} revoked by ${context.caller.who}`;
    await commit(
      context,
      { action: 'token.revoked', subject: name, reason: message, event: { message: said } },
      [
        { op: 'delete', kind: 'Token', key, expected: revision },
        { op: 'delete', kind: 'TokenUse', key },
      ],
    );
    const { records } = await context.store.list('Token');
    const now = context.clock.now();
    const isLast = !records.some(({ key: id, value }) => id !== key && isAdminNow(value, now));
    const note = isLast ? '. No admin token is left: the next start that asks for tokens makes one' : '';
    const { dryRun } = context;
    return { kind: 'TokenRevoked', name, dryRun, text: `token ${name}: revoked${note}` };
  });
}

/** Whether its owner can let others in. */
export function isAdminNow(token: ApiToken, now: number): boolean {
  return token.role === 'admin' && !isExpired(token, now);
}

/** `deployer, plugins edge/…, until 2027-01-01T00:00:00.000Z` */
export function toGrantText({
  role,
  scope,
  expiresAt,
}: Pick<ApiToken, 'role' | 'scope' | 'expiresAt'>): string {
  const until = expiresAt === undefined ? '' : `, until ${toTime(expiresAt)}`;
  return `${role}, ${toScopeText(scope)}${until}`;
}

function toRecord(
  { caller, clock }: CallContext,
  wanted: NewToken,
  made: Pick<ApiToken, 'id' | 'sha256'>,
): ApiToken {
  const now = clock.now();
  const lasts = wanted.expires === undefined ? undefined : parseExpiry(wanted.expires);
  return {
    ...made,
    name: wanted.name,
    role: wanted.role,
    scope: toScope(wanted),
    createdBy: caller.who,
    createdAt: now,
    ...(lasts === undefined ? {} : { expiresAt: now + lasts }),
  };
}

function toScope({ plugins, nodes }: NewToken): Scope {
  return { ...(plugins === undefined ? {} : { plugins }), ...(nodes === undefined ? {} : { nodes }) };
}

function findFaults(wanted: NewToken): Fault[] {
  const { name, role, plugins, nodes, expires } = wanted;
  const say = (isWrong: boolean, pointer: string, message: string, hint: string): Fault[] =>
    isWrong ? [{ pointer, message, hint }] : [];
  return [
    ...say(
      !isTokenName(name),
      '/name',
      `name ${JSON.stringify(name)}: expected lower-case letters, digits, dashes and dots; admin, attache, unknown and several are taken`,
      'E.g. ci-edge: history names it as who did it.',
    ),
    ...say(
      plugins !== undefined && !isPluginPrefix(plugins),
      '/plugins',
      `plugins ${JSON.stringify(plugins)}: expected what names begin with, from the namespace on`,
      'edge/ is a namespace, edge/auth that plugin and all whose name begins so.',
    ),
    // They would bound nothing, where somebody meant to.
    ...say(
      nodes !== undefined && Object.keys(nodes).length === 0,
      '/nodes',
      'nodes {}: expected a label at least',
      'E.g. {"tier": "edge"}; left out it is about all nodes.',
    ),
    ...say(
      role === 'admin' && !isEverything(toScope(wanted)),
      '/role',
      'role admin: an admin is one of everything, without a scope',
      'Take approver for a scope.',
    ),
    ...say(
      expires !== undefined && parseExpiry(expires) === undefined,
      '/expires',
      `expires ${JSON.stringify(expires)}: expected minutes, hours or days, at most 3650d`,
      'E.g. 90d or 12h; left out it never expires.',
    ),
  ];
}

async function findToken({ store }: ApiContext, name: string): Promise<Stored<ApiToken>> {
  const { records } = await store.list('Token');
  const found = records.find(({ value }) => value.name === name);
  if (found !== undefined) return found;
  const near = findNearestName(
    name,
    records.map(({ value }) => value.name),
  );
  throw new ApiError('not-found', `there is no token ${name}`, {
    hint: near === undefined ? 'attache get tokens lists them.' : `Did you mean ${near}?`,
  });
}
