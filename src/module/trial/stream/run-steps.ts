import { EnvoyCrash } from '../guest.ts';
import { startGuest } from '../run-guest.ts';
import type { TrialEnd } from '../trial-protocol.ts';
import { LOG_LEVELS } from '../trial-protocol.ts';
import { Witness } from '../witness.ts';
import { advance, deliverCall } from './await-resume.ts';
import { linkStreams } from './link-streams.ts';
import { runExchange } from './run-exchange.ts';
import { PluginTrapped, ROOT_CONTEXT, StreamGuest } from './stream-guest.ts';
import type { StreamEvent, StreamOrder } from './stream-protocol.ts';

const MAX_LINE_CHARS = 10_000;
const MAX_LINES = 20_000;

/**
 * Starts a plugin and has its requests pass, one after the other. Tells what happens as it happens; the last event is
 * `end`. Blocks for as long as the plugin runs: only for a process that can be killed.
 */
export function runSteps(bytes: Uint8Array, order: StreamOrder, tell: (event: StreamEvent) => void): void {
  const guest = new StreamGuest(order, new Chronicle(tell));
  const began = process.hrtime.bigint();
  tell({ kind: 'ready' });
  const { ending, entries } = startGuest(guest, bytes, linkStreams(guest));
  let end: { readonly outcome: TrialEnd; readonly reason: string } = ending;
  if (ending.outcome === 'ok') {
    guest.begin(entries);
    tell({ kind: 'started' });
    end = live(guest, order, tell);
  }
  tell({ kind: 'metrics', metrics: guest.metrics });
  const tookMs = Number((process.hrtime.bigint() - began) / 1_000_000n);
  tell({ kind: 'end', ...end, tookMs, memoryPages: guest.memoryPages });
}

function live(guest: StreamGuest, { steps }: StreamOrder, tell: (event: StreamEvent) => void) {
  try {
    guest.hasConfiguration = false;
    guest.settle();
    while (deliverCall(guest));
    let atMs = 0;
    for (const [i, step] of steps.entries()) {
      atMs = Math.max(atMs + step.afterMs, guest.clockMs);
      advance(guest, atMs);
      const id = ROOT_CONTEXT + 1 + i;
      tell({ kind: 'exchange', exchange: runExchange(guest, id, step) });
    }
    return { outcome: 'ok', reason: '' } as const;
  } catch (error) {
    if (error instanceof PluginTrapped || error instanceof EnvoyCrash)
      return { outcome: 'trapped', reason: error.message } as const;
    throw error;
  }
}

/** A witness of many requests: all lines are told, as far as somebody may want to read them. */
class Chronicle extends Witness {
  readonly #tell: (event: StreamEvent) => void;
  #lines = 0;

  constructor(tell: (event: StreamEvent) => void) {
    super(tell);
    this.#tell = tell;
  }

  override log(level: number, text: string): void {
    this.#lines++;
    if (this.#lines === MAX_LINES + 1) this.#tell({ kind: 'more-logs' });
    if (this.#lines > MAX_LINES) return;
    const message = text.slice(0, MAX_LINE_CHARS);
    this.#tell({ kind: 'log', level: LOG_LEVELS[level] ?? 'info', message });
  }
}
