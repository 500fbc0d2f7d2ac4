import type { WebhookView } from '../api/schema/webhook-view.ts';
import { WEBHOOK_EVENTS } from '../model/webhook.ts';
import { formatSince, NONE } from './format.ts';
import type { Listing } from './listings.ts';

export const WEBHOOKS: Listing<WebhookView> = {
  name: ({ name }) => `webhook/${name}`,
  columns: [
    { heading: 'NAME', cell: ({ name }) => name },
    { heading: 'URL', cell: ({ url }) => url },
    { heading: 'EVENTS', cell: ({ events }) => toEventsText(events) },
    { heading: 'PLUGINS', cell: ({ plugins }) => (plugins === null ? 'all' : `${plugins}…`) },
    { heading: 'LAST SUCCESS', cell: ({ status }, now) => toAge(status.lastSuccess, now) },
    { heading: 'LAST FAILURE', cell: ({ status }, now) => toAge(status.lastFailure, now) },
    { heading: 'STATE', cell: toState },
    { heading: 'LOST', wide: true, cell: ({ status }) => String(status.lost) },
    { heading: 'WHY', wide: true, cell: ({ status }) => status.lastFailure?.text ?? NONE },
    { heading: 'CREATED BY', wide: true, cell: ({ createdBy }) => createdBy },
  ],
};

export function toEventsText(events: readonly string[]): string {
  return events.length === WEBHOOK_EVENTS.length ? 'all' : events.join(',');
}

/** Failing is what is under way; what was given up stays said. */
function toState({ status }: WebhookView): string {
  if (status.tries > 0) return `failing, ${status.tries} ${status.tries === 1 ? 'try' : 'tries'}`;
  return status.lost > 0 ? `ok, ${status.lost} lost` : 'ok';
}

function toAge(of: { readonly at: string } | null, now: number): string {
  return formatSince(of?.at ?? null, now);
}
