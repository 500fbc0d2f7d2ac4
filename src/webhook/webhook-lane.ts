import type { AuditEntry } from '../model/audit.ts';
import type { Clock, Log, RandomHex } from '../model/ports.ts';
import type { Seal } from '../model/pull-secret.ts';
import { parseRolloutId, type Rollout } from '../model/rollout.ts';
import { openTarget, type Webhook, type WebhookOutcome, type WebhookState } from '../model/webhook.ts';
import { rolloutKey } from '../store/record-kinds.ts';
import type { Store, Stored } from '../store/store.ts';
import { findNext, findPosition } from './find-next.ts';
import { postMessage } from './post-message.ts';
import { isOver, toDelayMs } from './retry-rule.ts';
import { signMessage } from './sign-message.ts';
import { toWebhookMessage, type WebhookMessage } from './to-message.ts';

export interface WebhookPorts {
  readonly store: Store;
  readonly seal: Pick<Seal, 'open'>;
  readonly clock: Clock;
  readonly random: RandomHex;
  readonly log: Log;
  /** See Config. */
  readonly allowPrivateHosts: readonly string[];
  /** Until a receiver has answered, ms. */
  readonly timeoutMs: number;
  /** Where a person sees what it is about; of a rollout's id, or of nothing in particular. */
  readonly linkTo: (rollout: string | undefined) => string;
}

/** A position further on than this is kept although nothing was told: the next start has so much less to read. */
const KEPT_EVERY = 1_000;

/**
 * Tells one webhook what the audit says, entry by entry and in order. The place in the audit is all that is kept, after
 * each message: what a kill comes before is sent once more, with the same id.
 */
export class WebhookLane {
  readonly #ports: WebhookPorts;
  readonly #webhook: Stored<Webhook>;
  readonly #stopping = new AbortController();
  readonly #done: Promise<void>;
  #state: WebhookState;
  #kept = 0;
  #news = Promise.withResolvers<void>();

  constructor(ports: WebhookPorts, webhook: Stored<Webhook>) {
    this.#ports = ports;
    this.#webhook = webhook;
    this.#state = { createdRevision: webhook.createdRevision, position: 0, tries: 0, lost: 0 };
    this.#done = this.#run();
  }

  /** Something was appended to the audit. */
  poke(): void {
    this.#news.resolve();
  }

  /** Ends a message that is under way; it is sent again. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.poke();
    await this.#done;
  }

  /** After `stop`, for the lane of the changed webhook: what was passed over stays so, whatever it asks for. */
  async keepPlace(): Promise<void> {
    if (this.#state.position <= this.#kept) return;
    try {
      await this.#keep({});
    } catch (err) {
      this.#ports.log.warn({ err, webhook: this.#webhook.key }, 'how far a webhook came could not be kept');
    }
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    let begun = false;
    for (let failures = 0; !signal.aborted; ) {
      try {
        if (!begun) await this.#begin();
        begun = true;
        await this.#step();
        failures = 0;
      } catch (err) {
        if (signal.aborted) return;
        failures += 1;
        this.#ports.log.error({ err, webhook: this.#webhook.key }, 'a webhook stands still; trying again');
        await this.#wait(toDelayMs(failures, this.#chance()));
      }
    }
  }

  async #begin(): Promise<void> {
    const { store } = this.#ports;
    const { key, createdRevision } = this.#webhook;
    const known = (await store.get('WebhookState', key))?.value;
    if (known?.createdRevision === createdRevision) {
      this.#state = { ...known, tries: 0 };
      this.#kept = known.position;
    } else await this.#keep({ position: await findPosition(store, createdRevision) });
  }

  async #step(): Promise<void> {
    // Taken before it is looked: what comes while we look wakes us.
    this.#news = Promise.withResolvers();
    const { store } = this.#ports;
    const next = await findNext(store, this.#webhook.value, this.#state.position);
    if (next.entry !== undefined) return this.#tell(next.entry);
    const isEnd = next.until === this.#state.position;
    this.#state = { ...this.#state, position: next.until };
    if (next.until - this.#kept >= KEPT_EVERY) await this.#keep({});
    if (isEnd && !this.#stopping.signal.aborted) await this.#news.promise;
  }

  /** Until it was delivered, or is given up. */
  async #tell(entry: AuditEntry): Promise<void> {
    const { clock, log, linkTo } = this.#ports;
    const { signal } = this.#stopping;
    const about = `${entry.action} ${entry.subject}`;
    const message = toWebhookMessage(entry, await this.#readRollout(entry.subject), linkTo(entry.subject));
    for (let tries = this.#state.tries; !signal.aborted; ) {
      const outcome = await sendMessage(
        this.#ports,
        this.#webhook.value,
        { id: toId(entry), message },
        signal,
      );
      const at = clock.now();
      const position = entry.number;
      if (outcome.kind === 'delivered')
        return this.#keep({ position, tries: 0, lastSuccess: { at, status: outcome.status, about } });
      tries += 1;
      const lastFailure = { at, text: outcome.text, about };
      const fields = { webhook: this.#webhook.key, about, tries, reason: outcome.text };
      if (isOver(outcome, tries, at - Date.parse(entry.time))) {
        log.warn(fields, 'a message of a webhook was given up');
        return this.#keep({ position, tries: 0, lastFailure, lost: this.#state.lost + 1 });
      }
      log.info(fields, 'a message of a webhook was not delivered; trying again');
      await this.#keep({ tries, lastFailure });
      await this.#wait(toDelayMs(tries, this.#chance()));
    }
  }

  async #readRollout(id: string): Promise<Rollout | undefined> {
    const of = parseRolloutId(id);
    if (of === undefined || of.number === 'latest') return undefined;
    return (await this.#ports.store.get('Rollout', rolloutKey(of.plugin, of.number)))?.value;
  }

  async #keep(change: Partial<WebhookState>): Promise<void> {
    this.#state = { ...this.#state, ...change };
    const { key } = this.#webhook;
    await this.#ports.store.put('WebhookState', key, this.#state);
    this.#kept = this.#state.position;
  }

  #wait(delayMs: number): Promise<void> {
    const { signal } = this.#stopping;
    const { promise, resolve } = Promise.withResolvers<void>();
    if (signal.aborted) return Promise.resolve();
    const end = () => resolve();
    const cancel = this.#ports.clock.after(delayMs, end);
    signal.addEventListener('abort', end);
    return promise.finally(() => {
      cancel();
      signal.removeEventListener('abort', end);
    });
  }

  /** 0 to 1 */
  #chance(): number {
    return Number.parseInt(this.#ports.random(2), 16) / 0xffff;
  }
}

/** Sends a message once, signed with the time of now. Never rejects but with the reason of the signal. */
export async function sendMessage(
  ports: Pick<WebhookPorts, 'seal' | 'clock' | 'allowPrivateHosts' | 'timeoutMs'>,
  webhook: Webhook,
  { id, message }: { readonly id: string; readonly message: WebhookMessage },
  signal: AbortSignal,
): Promise<WebhookOutcome> {
  const target = openTarget(ports.seal, webhook);
  if (target === undefined)
    return { kind: 'failed', text: 'its secret does not open with the key of this server: add it again' };
  const body = JSON.stringify(message);
  const headers = signMessage(target.secret, { id, atMs: ports.clock.now(), body });
  const { allowPrivateHosts, timeoutMs } = ports;
  return postMessage({ url: target.url, headers, body, allowPrivateHosts, timeoutMs, signal });
}

/** The same for every try, so that a receiver can tell a message that comes twice. */
function toId({ number, hash }: AuditEntry): string {
  return `${number}-${hash.slice(0, 24)}`;
}
