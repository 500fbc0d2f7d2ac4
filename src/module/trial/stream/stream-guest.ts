import type { CallAnswer, HttpMessage } from '../../../model/plugin-run.ts';
import { Guest } from '../guest.ts';
import { call, type Entry } from '../run-guest.ts';
import type { Witness } from '../witness.ts';
import { HeaderList } from './header-map.ts';
import type { HttpStream } from './http-stream.ts';
import type { StreamOrder } from './stream-protocol.ts';

export const ROOT_CONTEXT = 1;

/** A call that waits for its answer. */
export interface PendingCall {
  readonly token: number;
  readonly answer: CallAnswer;
}

/** The answer that a plugin is told of just now. */
export interface ArrivedCall {
  readonly headers: HeaderList | undefined;
  readonly trailers: HeaderList | undefined;
  readonly body: Buffer;
}

/** A plugin to which requests come. Time goes on only where the order says so. */
export class StreamGuest extends Guest {
  override readonly order: StreamOrder;
  /** ABI 0.1.0 answers an absent header with an empty one. */
  isOldAbi = false;
  /** Since the start. */
  clockMs = 0;
  tickMs = 0;
  nextTickMs = 0;
  readonly streams = new Map<number, HttpStream>();
  readonly pending: PendingCall[] = [];
  readonly metrics: Record<string, number> = {};
  arrived: ArrivedCall | undefined;
  /** What get_status tells of the last call. */
  status: { readonly code: number; readonly text: string } = { code: 0, text: '' };
  /** A local response was sent: whatever the callback answers, nothing goes on. */
  isStopped = false;
  #current = ROOT_CONTEXT;
  #effective: number | undefined;
  #entries: ReadonlyMap<string, Entry> = new Map();
  #later: (() => void)[] = [];

  constructor(order: StreamOrder, witness: Witness) {
    super(order, witness);
    this.order = order;
  }

  /** Wall-clock time in ns. */
  override now(): bigint {
    return BigInt(this.order.now + this.clockMs) * 1_000_000n;
  }

  /** It is started: these are its functions. */
  begin(entries: ReadonlyMap<string, Entry>): void {
    this.#entries = entries;
    this.isOldAbi = entries.has('proxy_abi_version_0_1_0');
  }

  /** The request whose context calls; undefined: a root context does. */
  get stream(): HttpStream | undefined {
    return this.streams.get(this.#effective ?? this.#current);
  }

  /** False: there is no such context. */
  takeEffect(context: number): boolean {
    if (context !== ROOT_CONTEXT && !this.streams.has(context)) return false;
    this.#effective = context;
    return true;
  }

  /** Runs when the plugin has returned: it is never called from within itself. */
  afterCall(action: () => void): void {
    this.#later.push(action);
  }

  /** Calls the plugin for a context; what it returns, undefined where it has no such function. Throws where it traps. */
  invoke(name: string, context: number, ...args: number[]): number | undefined {
    this.#current = context;
    this.#effective = undefined;
    const result = call(this, this.#entries, name, context, ...args);
    this.#current = ROOT_CONTEXT;
    this.#effective = undefined;
    if (this.dead !== undefined) throw new PluginTrapped(this.dead);
    return result === undefined ? undefined : Number(result);
  }

  /** What was put off; also what comes up meanwhile. */
  settle(): void {
    this.isStopped = false;
    for (let action = this.#later.shift(); action !== undefined; action = this.#later.shift()) action();
  }
}

/** The plugin is gone: Envoy would start another one, and this request would fail. */
export class PluginTrapped extends Error {}

export function toArrived(message: HttpMessage | undefined): ArrivedCall {
  if (message === undefined) return { headers: undefined, trailers: undefined, body: Buffer.alloc(0) };
  return {
    headers: new HeaderList(message.headers),
    trailers: message.trailers.length === 0 ? undefined : new HeaderList(message.trailers),
    body: Buffer.from(message.body.join('')),
  };
}
