import type { Socket } from 'node:net';
import type { Clock, Log } from '../../model/ports.ts';
import type { LimitUsage, XdsLimitName, XdsLimits } from '../../model/xds-limits.ts';
import { LimitError } from './limit-error.ts';
import { HitCounter } from './limit-hits.ts';
import { StreamGate } from './stream-gate.ts';

export interface LimitGuardOptions {
  readonly limits: XdsLimits;
  readonly clock: Clock;
  readonly log: Log;
}

/** Time for a client to take the status that it was given; then its connection is cut. */
const LAST_WORDS_MS = 5_000;

/** The shell of the limits: the port's sockets and calls pass it. */
export class LimitGuard {
  readonly limits: XdsLimits;
  readonly clock: Clock;
  readonly #gate: StreamGate;
  readonly #hits: HitCounter;
  readonly #sockets = new Map<string, Socket>();

  constructor({ limits, clock, log }: LimitGuardOptions) {
    this.limits = limits;
    this.clock = clock;
    this.#gate = new StreamGate(limits);
    this.#hits = new HitCounter(log);
  }

  /** False: it was cut, and is not to be used. */
  takeIn(socket: Socket): boolean {
    const peer = peerOf(socket);
    const reception = this.#gate.connect(peer);
    if (reception !== 'served') this.hit('connections', peer, 'too many connections');
    if (reception === 'cut') {
      socket.on('error', () => {});
      socket.destroy();
      return false;
    }
    this.#sockets.set(peer, socket);
    const cancel = reception === 'told' ? this.cutLater(peer) : () => {};
    socket.once('close', () => {
      cancel();
      this.#sockets.delete(peer);
      this.#gate.disconnect(peer);
    });
    return true;
  }

  /** Answers how long the new call has to wait, ms. Throws LimitError. */
  enter(peer: string, isDiscovery: boolean): number {
    return this.#gate.enter(peer, isDiscovery, this.clock.now());
  }

  leave(peer: string): void {
    this.#gate.leave(peer);
  }

  /** Cuts the connection unless the answer is called before. */
  cutLater(peer: string): () => void {
    return this.clock.after(LAST_WORDS_MS, () => this.#sockets.get(peer)?.destroy());
  }

  cutAll(): void {
    for (const socket of this.#sockets.values()) socket.destroy();
  }

  /** Counts an error if it is about a limit. */
  note(error: unknown, peer: string): void {
    if (error instanceof LimitError) this.hit(error.limit, peer, error.message);
  }

  hit(limit: XdsLimitName, peer: string, message: string): void {
    this.#hits.hit(limit, peer, message, this.clock.now());
  }

  usage(): LimitUsage {
    const { connections, streams } = this.#gate;
    return { limits: this.limits, hits: this.#hits.all(), connections, streams };
  }
}

/** As grpc-js writes it. */
function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress}:${remotePort}`;
}
