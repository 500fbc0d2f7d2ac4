import type { RandomHex } from './ports.ts';
import type { Seal } from './pull-secret.ts';

/** What a webhook can be told of: what a rollout came to. */
export const WEBHOOK_EVENTS = [
  'started',
  'paused',
  'succeeded',
  'rolled-back',
  'rollback-incomplete',
  'aborted',
  'not-started',
] as const;
export type WebhookEvent = (typeof WEBHOOK_EVENTS)[number];

/** Who is told what rollouts come to. Written by the api; key `name`. */
export interface Webhook {
  readonly name: string;
  /** What may be shown of the URL: its path is a password with many receivers. */
  readonly shownUrl: string;
  /** A WebhookTarget as JSON, encrypted: see Seal. */
  readonly sealed: string;
  readonly events: readonly WebhookEvent[];
  /** Only plugins whose `<namespace>/<name>` begins so; absent: all. */
  readonly plugins?: string;
  readonly createdBy: string;
  readonly createdAt: number;
}

export interface WebhookTarget {
  readonly url: string;
  /** `whsec_` and base64, as Standard Webhooks writes keys. */
  readonly secret: string;
}

/**
 * How far a webhook has come. Written by the webhook stage; key its name. What waits is no list: it is what the audit
 * has after `position`.
 */
export interface WebhookState {
  /** Store revision that created the webhook: a new one of the same name begins anew. */
  readonly createdRevision: number;
  /** Number of the last audit entry that was told, given up or of no interest. */
  readonly position: number;
  readonly lastSuccess?: { readonly at: number; readonly status: number; readonly about: string };
  readonly lastFailure?: { readonly at: number; readonly text: string; readonly about: string };
  /** Tries of the message that is under way, all of them failed; 0: none is. */
  readonly tries: number;
  /** Messages that were given up, ever. */
  readonly lost: number;
}

/** What became of a message. `refused`: the receiver does not want this one, now or later. */
export type WebhookOutcome =
  | { readonly kind: 'delivered'; readonly status: number }
  | { readonly kind: 'failed' | 'refused'; readonly text: string };

/** What the api asks of the webhook stage. Filled in control-plane.ts. */
export interface WebhookAccess {
  /** What is wrong with a URL, and the way out; undefined: messages may be sent there. */
  findFault(url: string): { readonly message: string; readonly hint: string } | undefined;
  /** Sends one message that says it is a test, once. */
  sendTest(webhook: Webhook, signal: AbortSignal): Promise<WebhookOutcome>;
}

/** Bytes of a key. */
const KEY_BYTES = 32;
export const SECRET_PREFIX = 'whsec_';

/** A new key, as Standard Webhooks writes keys. */
export function makeSecret(random: RandomHex): string {
  return SECRET_PREFIX + Buffer.from(random(KEY_BYTES), 'hex').toString('base64');
}

export function sealTarget(seal: Seal, name: string, target: WebhookTarget): string {
  return seal.close(JSON.stringify(target), toAbout(name));
}

/** undefined: it does not open with this key. */
export function openTarget(seal: Pick<Seal, 'open'>, { name, sealed }: Webhook): WebhookTarget | undefined {
  const text = seal.open(sealed, toAbout(name));
  return text === undefined ? undefined : (JSON.parse(text) as WebhookTarget);
}

/** `https://hooks.example/…` */
export function toShownUrl(url: string): string {
  const { origin, pathname, search } = new URL(url);
  return pathname === '/' && search === '' ? origin : `${origin}/…`;
}

function toAbout(name: string): string {
  return `Webhook ${name}`;
}
