import type { CallAnswer, Exchange, PropertyValue, RunStep } from '../../../model/plugin-run.ts';
import type { TrialEvent, TrialOrder } from '../trial-protocol.ts';

/** What passes to a child that runs requests: in the form of a trial, see trial-protocol.ts. */
export interface StreamOrder extends TrialOrder {
  readonly properties: Readonly<Record<string, PropertyValue>>;
  readonly calls: readonly CallAnswer[];
  readonly steps: readonly RunStep[];
}

/** As of a trial; `end` comes after the last request. Log lines belong to the exchange that comes after them. */
export type StreamEvent =
  | TrialEvent
  /** It started and took its configuration. */
  | { readonly kind: 'started' }
  | { readonly kind: 'exchange'; readonly exchange: ToldExchange }
  | { readonly kind: 'metrics'; readonly metrics: Readonly<Record<string, number>> };

export type ToldExchange = Omit<Exchange, 'logs'>;
