/**
 * What `attache test` has a plugin do, and what came of it. Plain data: it passes to the child process in which the
 * plugin runs, and back.
 */

/** Names in lower case and values, in order; `:method`, `:path`, `:authority`, `:scheme` and `:status` among them. */
export type HeaderPairs = readonly (readonly [name: string, value: string])[];

/** One side of an HTTP exchange. */
export interface HttpMessage {
  readonly headers: HeaderPairs;
  /** As it arrives, part by part; none: there is no body. */
  readonly body: readonly string[];
  readonly trailers: HeaderPairs;
}

/** What a property of the host is: text, or a number or truth value in the form that Envoy gives. */
export type PropertyValue = string | number | boolean;

/** A request that the plugin sees, and what the application answers if it gets it. */
export interface RunStep {
  readonly name: string;
  /** How far the clock goes on before it, ms; ticks that fall due are run. */
  readonly afterMs: number;
  readonly request: HttpMessage;
  readonly response: HttpMessage;
  /** By path, `source.address`; beside those of the whole run. */
  readonly properties: Readonly<Record<string, PropertyValue>>;
}

/** What a cluster answers to calls of the plugin. */
export interface CallAnswer {
  readonly cluster: string;
  /** Only calls to this path; absent: all. */
  readonly path?: string;
  /** Absent: the connection breaks. */
  readonly message?: HttpMessage;
}

export interface RunPlan {
  /** `1.40.0`; empty: the newest. */
  readonly envoyVersion: string;
  readonly plugin: string;
  readonly pluginName: string;
  /** The text that the plugin gets; empty: none. */
  readonly pluginConfig: string;
  readonly env: Readonly<Record<string, string>>;
  /** Wall-clock time at the start, ms since the epoch. Nothing but `afterMs` moves it. */
  readonly nowMs: number;
  readonly properties: Readonly<Record<string, PropertyValue>>;
  readonly calls: readonly CallAnswer[];
  readonly steps: readonly RunStep[];
}

export interface RunLog {
  /** trace, debug, info, warn, error or critical. */
  readonly level: string;
  readonly message: string;
}

/** A call that the plugin made while a request was under way. */
export interface RunCall {
  readonly cluster: string;
  readonly headers: HeaderPairs;
  readonly body: string;
  readonly timeoutMs: number;
  /** `no-answer`: no answer stands in the request file, which counts as a cluster that is not there. */
  readonly answer: 'answered' | 'broken' | 'no-answer';
  /** Of the answer. */
  readonly status?: string;
}

/** What the plugin did with one request. */
export interface Exchange {
  readonly name: string;
  /** On the plugin's clock, ms since the start. */
  readonly atMs: number;
  readonly request: MessageChange;
  /** Whether the application got the request. */
  readonly isForwarded: boolean;
  /** What the client got; absent: nothing, see `stuck` and `trap`. */
  readonly response?: MessageChange;
  /** The plugin answered itself; `response` is what became of that. */
  readonly local?: { readonly status: number; readonly details: string };
  readonly calls: readonly RunCall[];
  readonly logs: readonly RunLog[];
  /** Properties that it asked for and did not get. */
  readonly unknownProperties: readonly string[];
  /** It stopped there and nothing is left that would let it go on: `request headers`, `response body` … */
  readonly stuck?: string;
  /** It reset the stream instead of answering. */
  readonly isReset?: true;
}

/** A message before and behind the plugin; bodies in one piece. */
export interface MessageChange {
  readonly before: FlatMessage;
  readonly after: FlatMessage;
}

export interface FlatMessage {
  readonly headers: HeaderPairs;
  readonly body: string;
  readonly trailers: HeaderPairs;
}

/** All of a run. */
export interface PluginRun {
  /** `ok`: it started and lived until the end of the run. */
  readonly outcome: 'ok' | 'broken' | 'refused' | 'trapped' | 'timed-out' | 'out-of-memory' | 'not-run';
  /** What happened, as part of a sentence; empty for `ok`. */
  readonly reason: string;
  /** What it logged before the first request: start and configuration. */
  readonly startLogs: readonly RunLog[];
  /** Those that came to their end; fewer than there are steps where the plugin did not live so long. */
  readonly exchanges: readonly Exchange[];
  /** What it logged in the request that it did not survive, and after the last one. */
  readonly endLogs: readonly RunLog[];
  /** Counters and gauges with their values, histograms with what they were given last. */
  readonly metrics: Readonly<Record<string, number>>;
}
