import type { IncomingMessage } from 'node:http';
import type { FastifyRequest } from 'fastify';
import { type AuditDraft, NOBODY } from '../model/audit.ts';
import type { Clock } from '../model/ports.ts';
import { blotParts } from '../model/redact.ts';
import type { Problem } from './schema/problem.ts';

/** They ask with a body, and change nothing. */
export const NO_CHANGES: ReadonlySet<string> = new Set(['POST /v1/plans', 'POST /v1/convert']);
/** A change that somebody asked for by name, and did not get. What cannot even be read is no such thing. */
const DENIED: ReadonlySet<number> = new Set([401, 403, 409, 412, 422, 423, 428]);
/** Denials of the caller, whatever was asked: they count for a dry run as well. */
const OF_CALLER: ReadonlySet<number> = new Set([401, 403]);
const MAX_SUBJECT = 256;
const MAX_METHOD = 16;
const MAX_TEXT = 512;

/** The entry of the audit for a request that was answered with a problem; undefined: it was no denied change. */
export function toDenial(request: FastifyRequest, problem: Problem, clock: Clock): AuditDraft | undefined {
  const { method, params, query } = request;
  const route = request.routeOptions.url;
  const action = `${method} ${route}`;
  if (route === undefined || method === 'GET' || method === 'HEAD' || NO_CHANGES.has(action))
    return undefined;
  if (!DENIED.has(problem.status)) return undefined;
  const { dryRun, message } = query as { readonly dryRun?: unknown; readonly message?: unknown };
  if (isTrue(dryRun) && !OF_CALLER.has(problem.status)) return undefined;
  return {
    time: new Date(clock.now()).toISOString(),
    actor: request.caller?.who ?? NOBODY,
    address: request.ip,
    requestId: request.id,
    action,
    subject: toSubject(params, problem.instance).slice(0, MAX_SUBJECT),
    result: 'denied',
    code: problem.code,
    ...(typeof message === 'string' ? { reason: message.slice(0, MAX_TEXT) } : {}),
    text: toText(problem),
  };
}

/** The same of a request that was refused before its route was looked for: a browser that another site led here. */
export function toEarlyDenial(
  { method = 'GET', socket }: IncomingMessage,
  { status, code, instance, requestId, detail }: Problem,
  clock: Clock,
): AuditDraft | undefined {
  if (method === 'GET' || method === 'HEAD' || !OF_CALLER.has(status)) return undefined;
  return {
    time: new Date(clock.now()).toISOString(),
    actor: NOBODY,
    address: socket.remoteAddress ?? '',
    requestId,
    action: method.slice(0, MAX_METHOD),
    subject: instance.slice(0, MAX_SUBJECT),
    result: 'denied',
    code,
    text: detail.slice(0, MAX_TEXT),
  };
}

/** What the path names: `default/auth`, `clusters/default/web`, a rollout, a node; else the path. */
function toSubject(params: unknown, path: string): string {
  const names = Object.values(params ?? {}).filter(name => typeof name === 'string');
  return blotParts(names.length === 0 ? path : names.join('/'));
}

/** What is wrong with a document may quote it, secrets and all: its places are told, not its text. */
function toText({ status, title, detail, errors }: Problem): string {
  const places = errors.map(({ pointer }) => pointer).join(', ');
  const text = status === 422 ? `${title}${places === '' ? '' : `: ${places}`}` : blotParts(detail);
  return text.slice(0, MAX_TEXT);
}

/** Also before the query was checked. */
function isTrue(dryRun: unknown): boolean {
  return dryRun === true || dryRun === 'true';
}
