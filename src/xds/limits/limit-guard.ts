import { constants, type Http2Session, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import type { Clock, Log, NextTurn } from '../../model/ports.ts';
import type { LimitUsage, XdsLimitName, XdsLimits } from '../../model/xds-limits.ts';
import { LimitError } from './limit-error.ts';
import { HitCounter } from './limit-hits.ts';
import { StreamGate, toCrowded } from './stream-gate.ts';
import { Turns } from './turns.ts';

export interface LimitGuardOptions {
  readonly limits: XdsLimits;
  /** Wall-clock time: when a limit was hit. */
  readonly clock: Clock;
  /** For rates and waits: a wall clock that is set back would keep everybody out until it has caught up. */
  readonly steady: Clock;
  /** See Loop. */
  readonly nextTurn: NextTurn;
  readonly log: Log;
}

/** Time for a client to take the status that it was given; then its connection is cut. */
const LAST_WORDS_MS = 5_000;

/** The shell of the limits: the port's sockets and calls pass it. */
export class LimitGuard {
  readonly limits: XdsLimits;
  readonly steady: Clock;
  readonly turns: Turns;
  readonly #clock: Clock;
  readonly #gate: StreamGate;
  readonly #hits: HitCounter;
  readonly #sockets = new Map<string, Socket>();
  /** Cancels the cut of a connection that is to go. */
  readonly #cuts = new Map<Socket, () => void>();

  constructor({ limits, clock, steady, nextTurn, log }: LimitGuardOptions) {
    this.limits = limits;
    this.steady = steady;
    this.turns = new Turns({ clock: steady, nextTurn });
    this.#clock = clock;
    this.#gate = new StreamGate(limits);
    this.#hits = new HitCounter(log);
  }

  /** False: it was cut, and is not to be used. */
  takeIn(socket: Socket): boolean {
    const peer = peerOf(socket);
    if (socket.remoteAddress === undefined) {
      // Gone again before we came to it.
      socket.destroy();
      return false;
    }
    // The end of one that was reset may be told after its port was taken anew.
    this.#gate.disconnect(this.#sockets.get(peer));
    const reception = this.#gate.connect(socket);
    if (reception !== 'served') this.hit('connections', peer, 'too many connections');
    if (reception === 'cut') {
      socket.on('error', () => {});
      socket.destroy();
      this.#sockets.delete(peer);
      return false;
    }
    this.#sockets.set(peer, socket);
    if (reception === 'told') this.#dismiss(socket);
    // We have said our last: a peer that keeps its side open would never be gone.
    socket.once('prefinish', () => this.#dismiss(socket));
    socket.once('close', () => {
      this.#cuts.get(socket)?.();
      this.#cuts.delete(socket);
      this.#gate.disconnect(socket);
      if (this.#sockets.get(peer) === socket) this.#sockets.delete(peer);
    });
    return true;
  }

  /** Begins with a connection that was taken in once the event loop has time for it; cuts it if that is too late. */
  whenItsTurn(socket: Socket, begin: () => void): void {
    if (this.turns.take('connection')) {
      begin();
      return;
    }
    const peer = peerOf(socket);
    const leave = (): void => {
      stopWaiting();
      socket.off('error', leave);
    };
    const stopWaiting = this.turns.wait('connection', {
      since: this.steady.now(),
      begin: () => {
        socket.off('error', leave).off('close', leave);
        begin();
      },
      refuse: () => {
        this.note(toCrowded(), peer);
        socket.destroy();
      },
    });
    socket.once('error', leave).once('close', leave);
  }

  /** Answers how long the new call has to wait, ms. Throws LimitError. */
  enter(connection: Socket | undefined, isDiscovery: boolean): number {
    return this.#gate.enter(connection, isDiscovery, this.steady.now());
  }

  leave(connection: Socket | undefined): void {
    this.#gate.leave(connection);
  }

  /**
   * What comes from this address now. To be kept by whatever belongs to it: its end may be told after the address was taken
   * anew, by a connection that must not be cut for it.
   */
  connectionOf(peer: string): Socket | undefined {
    return this.#sockets.get(peer);
  }

  /** Cuts the connection unless the answer is called before. */
  cutLater(connection: Socket | undefined): () => void {
    return this.steady.after(LAST_WORDS_MS, () => connection?.destroy());
  }

  /**
   * A call over the connection is over. Its stream would stay for ever if the client never ended its side; and so would its
   * connection if the session was given up (no answer to a ping) while the peer takes nothing: node:http2 waits for that.
   */
  callOver(
    connection: Socket | undefined,
    stream: ServerHttp2Stream,
    session: Http2Session | undefined,
  ): void {
    if (session?.destroyed === true && connection !== undefined) this.#dismiss(connection);
    if (stream.closed) return;
    stream.once(
      'close',
      this.steady.after(LAST_WORDS_MS, () => stream.close(constants.NGHTTP2_NO_ERROR)),
    );
  }

  /** What runs over a connection, as TLS does: when that has said its last, so has the connection. */
  follow(over: Socket): void {
    const connection = this.connectionOf(peerOf(over));
    over.once('prefinish', () => {
      if (connection !== undefined) this.#dismiss(connection);
    });
  }

  cutAll(): void {
    for (const socket of this.#sockets.values()) socket.destroy();
  }

  /** Waits until every connection is closed. */
  async allGone(): Promise<void> {
    const ends = [...this.#sockets.values()].map(
      socket => new Promise<void>(resolve => socket.once('close', () => resolve())),
    );
    await Promise.all(ends);
  }

  /** Counts an error if it is about a limit. */
  note(error: unknown, peer: string): void {
    if (error instanceof LimitError) this.hit(error.limit, peer, error.message);
  }

  hit(limit: XdsLimitName, peer: string, message: string): void {
    this.#hits.hit(limit, peer, message, this.#clock.now());
  }

  usage(): LimitUsage {
    const { connections, streams } = this.#gate;
    return { limits: this.limits, hits: this.#hits.all(), connections, streams };
  }

  #dismiss(socket: Socket): void {
    if (this.#cuts.has(socket) || socket.destroyed) return;
    this.#cuts.set(
      socket,
      this.steady.after(LAST_WORDS_MS, () => socket.destroy()),
    );
  }
}

/** As grpc-js writes it. */
function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress}:${remotePort}`;
}
