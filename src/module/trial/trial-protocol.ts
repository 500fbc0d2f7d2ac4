/**
 * What passes between a trial runner and its child process. To the child: the order as JSON, then the module, each behind
 * its size as 4 bytes (little endian); a module of no bytes is that of the order before. From the child: a TrialEvent as
 * JSON on each line. After a `left` without a reason it waits for another order.
 */
export interface TrialOrder {
  /** The 40 of Envoy 1.40: older ones allow less before the first context. */
  readonly envoyMinor: number;
  /** Envoy's PluginConfig.name. */
  readonly plugin: string;
  /** Envoy's root_id. */
  readonly rootId: string;
  /** The text that the plugin gets as its configuration. */
  readonly configuration: string;
  readonly env: readonly (readonly [name: string, value: string])[];
  /** Names of variables that each node's own environment gives. */
  readonly hostEnv: readonly string[];
  /** Wall-clock time at the start, ms since the epoch. */
  readonly now: number;
}

export type WantedKind = 'property' | 'metric' | 'cluster' | 'foreignFunction' | 'hostEnv';

export type TrialEvent =
  /** The module has been read; from here on its own time counts. */
  | { readonly kind: 'ready' }
  /** A function of the module is called. */
  | { readonly kind: 'call'; readonly name: string }
  | { readonly kind: 'log'; readonly level: LogLevel; readonly message: string }
  /** There were more lines than are told. */
  | { readonly kind: 'more-logs' }
  | { readonly kind: 'want'; readonly what: WantedKind; readonly name: string }
  /** Something asked for that only a node knows, as a phrase. */
  | { readonly kind: 'unknowable'; readonly text: string }
  | {
      readonly kind: 'end';
      readonly outcome: TrialEnd;
      /** What happened; empty for `ok`. */
      readonly reason: string;
      readonly tookMs: number;
      /** Of linear memory, at the end. */
      readonly memoryPages: number;
    }
  /** After an `end` that is `ok`: it was asked to go, as Envoy asks it when it gets another configuration. */
  | {
      readonly kind: 'left';
      /** How it failed at that; empty: it did not. */
      readonly reason: string;
      /** Told by a child process. */
      readonly cost?: ChildCost;
    };

/** What a child process has taken since it began. */
export interface ChildCost {
  readonly residentMiB: number;
  /** Of processor time. */
  readonly processorMs: number;
}

/** How a run that came to its end went. `broken`: these bytes are no valid module. */
export type TrialEnd = 'ok' | 'refused' | 'trapped' | 'broken' | 'out-of-memory';

/** Of Proxy-Wasm, by number. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'critical'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** The answers of host functions. https://github.com/proxy-wasm/spec/tree/main/abi-versions/v0.2.1#proxy_result_t */
export const Result = {
  ok: 0,
  notFound: 1,
  badArgument: 2,
  serializationFailure: 3,
  invalidMemoryAccess: 6,
  empty: 7,
  casMismatch: 8,
  unimplemented: 12,
} as const;
