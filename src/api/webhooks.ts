import type { Fault } from '../model/error.ts';
import { findNearestName } from '../model/nearest-name.ts';
import { isPluginPrefix } from '../model/scope.ts';
import {
  makeSecret,
  openTarget,
  sealTarget,
  toShownUrl,
  WEBHOOK_EVENTS,
  type Webhook,
  type WebhookState,
  type WebhookTarget,
} from '../model/webhook.ts';
import type { Stored } from '../store/store.ts';
import type { ApiContext, CallContext } from './api-context.ts';
import { ApiError } from './api-error.ts';
import { type Change, commit } from './commit.ts';
import { checkPreconditions, type Preconditions } from './preconditions.ts';
import { type ApplyResult, toTime } from './schema/metadata.ts';
import type {
  WebhookApplyAnswer,
  WebhookBody,
  WebhookRemoved,
  WebhookTested,
  WebhookView,
} from './schema/webhook-view.ts';

/** A webhook's name, and what the caller says besides. */
export interface WebhookRequest extends Preconditions {
  readonly name: string;
  readonly message: string | undefined;
}

const NAME = /^[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?$/;

/** Answers what stands then; a new webhook is told of what happens from now on. Codes: `webhook-wrong`, `revision-mismatch`. */
export function putWebhook(
  context: CallContext,
  request: WebhookRequest,
  body: WebhookBody,
): Promise<WebhookApplyAnswer> {
  const { name, message } = request;
  const faults = findFaults(context, name, body);
  if (faults.length > 0)
    throw new ApiError('webhook-wrong', faults.map(fault => fault.message).join('; '), { faults });
  const { store, seal, clock, random, caller, dryRun } = context;
  return context.exclusive(async () => {
    const before = await store.get('Webhook', name);
    checkPreconditions(request, before?.revision);
    const known = before && openTarget(seal, before.value);
    const target: WebhookTarget = { url: body.url, secret: known?.secret ?? makeSecret(random) };
    const events = WEBHOOK_EVENTS.filter(event => body.events?.includes(event) ?? true);
    const plugins = body.plugins === undefined ? {} : { plugins: body.plugins };
    const value: Webhook = {
      name,
      shownUrl: toShownUrl(body.url),
      sealed: sealTarget(seal, name, target),
      events,
      ...plugins,
      createdBy: before?.value.createdBy ?? caller.who,
      createdAt: before?.value.createdAt ?? clock.now(),
    };
    const result = decideResult(before?.value, known, value, target);
    const isWritten = result !== 'unchanged' && !dryRun;
    const revision = isWritten
      ? await commit(context, toChange(context, name, result, message), [
          { op: 'put', kind: 'Webhook', key: name, value, expected: before?.revision ?? 'absent' },
        ])
      : (before?.revision ?? 0);
    const stored = { key: name, value: result === 'unchanged' && before ? before.value : value, revision };
    const state = before && (await readState(store, before));
    // Whoever cannot open it any more has to be given a new one.
    const secret = known === undefined && !dryRun ? target.secret : null;
    return { ...toWebhookView(stored, state), result, secret, dryRun };
  });
}

/** Codes: `not-found`, `revision-mismatch`. */
export function removeWebhook(context: CallContext, request: WebhookRequest): Promise<WebhookRemoved> {
  const { name, message } = request;
  return context.exclusive(async () => {
    const { revision } = await findWebhook(context, name);
    checkPreconditions(request, revision);
    await commit(context, toChange(context, name, 'removed', message), [
      { op: 'delete', kind: 'Webhook', key: name, expected: revision },
    ]);
    const { dryRun } = context;
    const verb = dryRun ? 'would be removed' : 'removed';
    return {
      kind: 'WebhookRemoved',
      name,
      dryRun,
      text: `webhook ${name} ${verb}: it is told of nothing more`,
    };
  });
}

/** Sends one message, and says what became of it. Codes: `not-found`. */
export async function testWebhook(
  context: CallContext,
  name: string,
  signal: AbortSignal,
): Promise<WebhookTested> {
  const { value } = await findWebhook(context, name);
  const { dryRun } = context;
  if (dryRun)
    return {
      kind: 'WebhookTested',
      name,
      delivered: false,
      dryRun,
      text: `a message would go to ${value.shownUrl}`,
    };
  // Said before it is sent: it leaves a trace elsewhere.
  await commit(context, toChange(context, name, 'tested', undefined), []);
  const outcome = await context.webhooks.sendTest(value, signal);
  const delivered = outcome.kind === 'delivered';
  const text = delivered
    ? `${value.shownUrl} took it (${outcome.status})`
    : `${value.shownUrl} did not take it: ${outcome.text}`;
  return { kind: 'WebhookTested', name, delivered, dryRun, text };
}

/** Codes: `not-found`. */
export async function readWebhook(context: ApiContext, name: string): Promise<WebhookView> {
  const stored = await findWebhook(context, name);
  return toWebhookView(stored, await readState(context.store, stored));
}

/** By name, each with how far it has come. */
export async function listWebhooks({
  store,
}: ApiContext): Promise<readonly { readonly key: string; readonly view: WebhookView }[]> {
  const [{ records }, states] = await Promise.all([store.list('Webhook'), store.list('WebhookState')]);
  const byName = new Map(states.records.map(({ key, value }) => [key, value]));
  return records.map(stored => ({
    key: stored.key,
    view: toWebhookView(stored, ownState(stored, byName.get(stored.key))),
  }));
}

async function findWebhook({ store }: ApiContext, name: string): Promise<Stored<Webhook>> {
  const found = await store.get('Webhook', name);
  if (found !== undefined) return found;
  const { records } = await store.list('Webhook');
  const near = findNearestName(
    name,
    records.map(({ key }) => key),
  );
  throw new ApiError('not-found', `there is no webhook ${name}`, {
    hint: near === undefined ? 'attache webhook list shows them.' : `Did you mean ${near}?`,
  });
}

async function readState(
  store: ApiContext['store'],
  webhook: Stored<Webhook>,
): Promise<WebhookState | undefined> {
  return ownState(webhook, (await store.get('WebhookState', webhook.key))?.value);
}

/** Of an older webhook of that name there may be something left. */
function ownState(
  { createdRevision }: Stored<Webhook>,
  state: WebhookState | undefined,
): WebhookState | undefined {
  return state?.createdRevision === createdRevision ? state : undefined;
}

function toWebhookView(
  { value, revision }: Pick<Stored<Webhook>, 'value' | 'revision'>,
  state: WebhookState | undefined,
): WebhookView {
  const { name, shownUrl, events, plugins = null, createdBy, createdAt } = value;
  const { lastSuccess, lastFailure, tries = 0, lost = 0 } = state ?? {};
  return {
    kind: 'Webhook',
    name,
    resourceVersion: String(revision),
    url: shownUrl,
    events: [...events],
    plugins,
    createdBy,
    createdAt: toTime(createdAt),
    status: {
      lastSuccess: lastSuccess === undefined ? null : { ...lastSuccess, at: toTime(lastSuccess.at) },
      lastFailure: lastFailure === undefined ? null : { ...lastFailure, at: toTime(lastFailure.at) },
      tries,
      lost,
    },
  };
}

function decideResult(
  before: Webhook | undefined,
  known: WebhookTarget | undefined,
  value: Webhook,
  target: WebhookTarget,
): ApplyResult {
  if (before === undefined) return 'created';
  const isSame =
    known?.url === target.url &&
    before.plugins === value.plugins &&
    before.events.join() === value.events.join();
  return isSame ? 'unchanged' : 'configured';
}

function findFaults({ webhooks }: ApiContext, name: string, { url, plugins }: WebhookBody): Fault[] {
  const fault = webhooks.findFault(url);
  return [
    ...(NAME.test(name)
      ? []
      : [
          {
            pointer: '/name',
            message: `name ${JSON.stringify(name)}: expected lower-case letters, digits, dashes and dots`,
            hint: 'E.g. on-call.',
          },
        ]),
    // Its text may hold a password.
    ...(fault === undefined ? [] : [{ pointer: '/url', message: `url: ${fault.message}`, hint: fault.hint }]),
    ...(plugins === undefined || isPluginPrefix(plugins)
      ? []
      : [
          {
            pointer: '/plugins',
            message: `plugins ${JSON.stringify(plugins)}: expected what names begin with, from the namespace on`,
            hint: 'edge/ is a namespace, edge/auth that plugin and all whose name begins so.',
          },
        ]),
  ];
}

function toChange({ caller }: CallContext, name: string, what: string, reason: string | undefined): Change {
  const why = reason === undefined ? '' : `: ${reason}`;
  return {
    action: `webhook.${what}`,
    subject: name,
    reason,
    event: { message: `webhook ${name} ${what} by ${caller.who}${why}` },
  };
}
