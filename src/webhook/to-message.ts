import type { AuditEntry } from '../model/audit.ts';
import { toCountText } from '../model/quantity-text.ts';
import { parseRolloutId, type Rollout } from '../model/rollout.ts';
import { WEBHOOK_EVENTS, type Webhook, type WebhookEvent } from '../model/webhook.ts';

const ROLLOUT = 'rollout.';

/** What is posted, as JSON. `text` alone makes a sensible line in a chat. */
export interface WebhookMessage {
  /** `rollout.rolled-back`; `webhook.test`. */
  readonly type: string;
  /** RFC 3339: when it happened. */
  readonly timestamp: string;
  /** The sentence for a person, with the link at its end. */
  readonly text: string;
  readonly data: {
    /** `<namespace>/<name>` */
    readonly plugin?: string;
    /** `namespace.plugin.number` */
    readonly rollout?: string;
    /** Revisions; null: none. */
    readonly from?: number | null;
    readonly to?: number | null;
    /** Who began the rollout, and what they wrote. */
    readonly by?: string;
    readonly message?: string;
    /** Of the audit entry that tells the same. */
    readonly audit?: number;
    readonly link: string;
  };
}

/** Which of its events an entry is for a webhook; undefined: it is not to be told of it. */
export function findEvent(
  { action, result, subject }: AuditEntry,
  { events, plugins = '' }: Pick<Webhook, 'events' | 'plugins'>,
): WebhookEvent | undefined {
  if (result !== 'done' || !action.startsWith(ROLLOUT)) return undefined;
  const event = WEBHOOK_EVENTS.find(one => `${ROLLOUT}${one}` === action);
  if (event === undefined || !events.includes(event)) return undefined;
  const plugin = parseRolloutId(subject)?.plugin;
  return plugin?.startsWith(plugins) === true ? event : undefined;
}

/** `rollout`: as it stands now; undefined: it was forgotten meanwhile. `link`: where a person sees it. */
export function toWebhookMessage(
  entry: AuditEntry,
  rollout: Rollout | undefined,
  link: string,
): WebhookMessage {
  const plugin = parseRolloutId(entry.subject)?.plugin;
  return {
    type: entry.action,
    timestamp: entry.time,
    text: `${toSentence(entry, rollout)} ${link}`,
    data: {
      ...(plugin === undefined ? {} : { plugin }),
      rollout: entry.subject,
      ...(rollout === undefined ? {} : { from: rollout.from.revision, to: rollout.to?.revision ?? null }),
      ...(entry.behalf === undefined ? {} : { by: rollout?.by ?? entry.behalf }),
      ...(rollout?.note === undefined ? {} : { message: rollout.note }),
      audit: entry.number,
      link,
    },
  };
}

export function toTestMessage(name: string, at: number, link: string): WebhookMessage {
  const text = `Attaché: this is a test of the webhook ${name}. ${link}`;
  return { type: 'webhook.test', timestamp: new Date(at).toISOString(), text, data: { link } };
}

/** The sentence of the event; of what went back more, for it is what wakes people. */
function toSentence(entry: AuditEntry, rollout: Rollout | undefined): string {
  if (entry.action === `${ROLLOUT}rolled-back` && rollout?.phase === 'RolledBack') return toBackText(rollout);
  const sentence = toFullStop(entry.text.replace(` (${entry.subject})`, ''));
  const isPaused = entry.action === `${ROLLOUT}paused` && rollout !== undefined;
  return isPaused ? `${sentence} To go on: attache rollout resume ${rollout.plugin}.` : sentence;
}

/**
 * `edge/auth RolledBack: revision 8 was refused by 3 of 30 nodes of step 2; first edge-b-041 at 02:59:07 UTC: "…". All 30
 * nodes run revision 7 since 02:59:10 UTC. 270 nodes were never touched.`
 */
function toBackText(rollout: Rollout): string {
  const { plugin, back, targets, endedAt = rollout.since } = rollout;
  const touched = back?.touched ?? 0;
  const who = touched === 1 ? 'The 1 node that had it runs' : `All ${toCountText(touched, 'node')} run`;
  const returned =
    touched === 0
      ? 'No node had it.'
      : `${who} ${toRevisionText(rollout.from.revision, plugin)} since ${toClock(endedAt)}.`;
  const untouched = Math.max(0, targets - touched);
  const were = untouched === 1 ? 'was' : 'were';
  const rest = untouched === 0 ? '' : ` ${toCountText(untouched, 'node')} ${were} never touched.`;
  return `${plugin} RolledBack: ${toFullStop(toCause(rollout))} ${returned}${rest}`;
}

function toCause({ failure, why = 'it went back', steps, to }: Rollout): string {
  if (failure?.kind !== 'refusal') return why;
  const { count, node, text, at, step } = failure;
  const reached = steps[step]?.reaches;
  const of =
    reached === undefined
      ? toCountText(count, 'node')
      : `${count} of ${toCountText(reached, 'node')} of step ${step + 1}`;
  const first =
    node === undefined ? '' : `; ${count > 1 ? 'first ' : ''}${node} at ${toClock(at)}: "${text}"`;
  return `${toRevisionText(to?.revision ?? null, 'it')} was refused by ${of}${first}`;
}

function toRevisionText(revision: number | null, plugin: string): string {
  return revision === null ? `without ${plugin}` : `revision ${revision}`;
}

/** Whoever reads it may be anywhere. */
function toClock(ms: number): string {
  return `${new Date(ms).toISOString().slice(11, 19)} UTC`;
}

function toFullStop(sentence: string): string {
  return /[.!?]$/.test(sentence) ? sentence : `${sentence}.`;
}
