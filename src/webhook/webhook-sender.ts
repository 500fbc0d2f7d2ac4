import { toMessage } from '../model/error.ts';
import type { WebhookAccess } from '../model/webhook.ts';
import type { Change } from '../store/store.ts';
import { toTestMessage } from './to-message.ts';
import { findUrlFault } from './webhook-address.ts';
import { sendMessage, WebhookLane, type WebhookPorts } from './webhook-lane.ts';

export interface WebhookSender {
  /** Ends what is under way; it is sent again after the next start. Idempotent. */
  stop(): Promise<void>;
}

/** Until a receiver has answered. */
export const WEBHOOK_TIMEOUT_MS = 10_000;

/** Starts to tell every webhook what rollouts come to, each at its own pace. */
export function startWebhookSender(ports: WebhookPorts): WebhookSender {
  const stopping = new AbortController();
  const lanes = new Map<string, WebhookLane>();
  const follow = async (change: Change): Promise<void> => {
    if (change.kind === 'AuditHead') for (const lane of lanes.values()) lane.poke();
    if (change.kind !== 'Webhook') return;
    const before = lanes.get(change.key);
    await before?.stop();
    lanes.delete(change.key);
    if (change.stored === undefined) return forget(ports, change.key);
    await before?.keepPlace();
    if (!stopping.signal.aborted) lanes.set(change.key, new WebhookLane(ports, change.stored));
  };
  const watching = (async () => {
    try {
      await forgetRemoved(ports);
      for await (const changes of ports.store.watch(['Webhook', 'AuditHead'], stopping.signal))
        for (const change of changes) await follow(change);
    } catch (error) {
      if (!stopping.signal.aborted)
        ports.log.error({ error: toMessage(error) }, 'webhooks stand still: watch failed');
    }
  })();
  return {
    async stop() {
      stopping.abort();
      await watching;
      await Promise.all([...lanes.values()].map(lane => lane.stop()));
    },
  };
}

/** What the api asks of this stage. */
export function createWebhookAccess(ports: Omit<WebhookPorts, 'store' | 'log'>): WebhookAccess {
  return {
    findFault: url => findUrlFault(url, ports.allowPrivateHosts),
    sendTest(webhook, signal) {
      const message = toTestMessage(webhook.name, ports.clock.now(), ports.linkTo(undefined));
      return sendMessage(ports, webhook, { id: `test-${ports.random(12)}`, message }, signal);
    },
  };
}

/** What is left of webhooks that were removed while nobody looked. */
async function forgetRemoved(ports: WebhookPorts): Promise<void> {
  const { records } = await ports.store.list('WebhookState');
  for (const { key } of records)
    if ((await ports.store.get('Webhook', key)) === undefined) await forget(ports, key);
}

async function forget({ store, log }: WebhookPorts, webhook: string): Promise<void> {
  try {
    await store.delete('WebhookState', webhook);
  } catch (err) {
    // A new webhook of that name knows that it is not its own.
    log.warn({ err, webhook }, 'what was kept of a removed webhook could not be deleted');
  }
}
