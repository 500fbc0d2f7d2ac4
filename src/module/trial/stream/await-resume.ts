import type { HttpStream, PassingMessage } from './http-stream.ts';
import { ROOT_CONTEXT, type StreamGuest, toArrived } from './stream-guest.ts';

/** Of Proxy-Wasm's results: what get_status tells of a call without an answer. */
const BROKEN_CONNECTION = 11;
/** A plugin that waits for its ticks is given this many. */
const MAX_TICKS = 1000;

/**
 * Has everything happen that can let a paused message go on: answers to calls, then ticks. Undefined: it goes on.
 */
export function awaitResume(
  guest: StreamGuest,
  stream: HttpStream,
  message: PassingMessage,
  where: string,
): 'ended' | { readonly stuck: string } | undefined {
  for (let ticks = 0; ticks < MAX_TICKS; ) {
    if (stream.isReset || (stream.local !== undefined && stream.localFor !== message)) return 'ended';
    if (message.isResumed) {
      message.isResumed = false;
      return undefined;
    }
    if (deliverCall(guest)) continue;
    if (guest.tickMs === 0) break;
    tick(guest);
    ticks++;
  }
  return { stuck: where };
}

/** The answer to the oldest call; false: there is none. */
export function deliverCall(guest: StreamGuest): boolean {
  const call = guest.pending.shift();
  if (call === undefined) return false;
  const { message } = call.answer;
  const arrived = toArrived(message);
  guest.arrived = arrived;
  if (message === undefined) guest.status = { code: BROKEN_CONNECTION, text: 'reset' };
  guest.invoke(
    'proxy_on_http_call_response',
    ROOT_CONTEXT,
    call.token,
    arrived.headers?.pairs.length ?? 0,
    arrived.body.length,
    arrived.trailers?.pairs.length ?? 0,
  );
  guest.arrived = undefined;
  guest.settle();
  return true;
}

/** Time goes on to `untilMs` on the plugin's clock, tick by tick where it wants them. */
export function advance(guest: StreamGuest, untilMs: number): void {
  for (let ticks = 0; guest.tickMs > 0 && guest.nextTickMs <= untilMs && ticks < MAX_TICKS; ticks++)
    tick(guest);
  guest.clockMs = Math.max(guest.clockMs, untilMs);
}

function tick(guest: StreamGuest): void {
  guest.clockMs = Math.max(guest.clockMs, guest.nextTickMs);
  guest.nextTickMs = guest.clockMs + guest.tickMs;
  guest.invoke('proxy_on_tick', ROOT_CONTEXT);
  guest.settle();
}
