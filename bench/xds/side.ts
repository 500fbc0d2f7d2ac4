/**
 * `attache-http2`: on an HTTP/2 transport of its own instead of grpc-js, see own-transport.ts; `bare-grpc-js`: grpc-js with nothing
 * behind it, see serve-bare-grpc.ts.
 */
export type SideName = 'attache' | 'attache-http2' | 'bare-grpc-js' | 'go-control-plane';

/** Node's flags, as in bin/attache. */
export const NODE_FLAGS = [
  '--disable-warning=ExperimentalWarning',
  '--min-semi-space-size=16',
  '--max-semi-space-size=16',
  '--no-parallel-scavenge',
] as const;

/** A server under load, whoever wrote it. */
export interface Side {
  readonly name: SideName;
  /** `HOST:PORT` of its ADS. */
  readonly address: string;
  readonly pid: number;
  /** `HOST:PORT` where it serves modules; undefined: it serves none. */
  readonly modules?: string;
  /** The resource that every stream asks for. */
  readonly resource: string;
  /** What makes it change that: `METHOD URL [BODY-FILE]`, with `{round}` for a number. */
  readonly trigger: string;
  stop(): Promise<void>;
}

/** How the fleet is played. */
export interface Scenario {
  readonly streams: number;
  readonly form: 'delta' | 'sotw';
  readonly pushes: number;
  /** Extensions listed in the node, which each request repeats; 0: a small node, sent once. */
  readonly repeatedExtensions: number;
  /** Share of the streams that refuse each push. */
  readonly refusing: number;
  /** Each push brings a module that no Envoy has; all fetch it before they accept. */
  readonly fetches: boolean;
}

/** How an Envoy refuses a push whose module it does not have yet, and fetches. */
export const MISS_TEXT = 'Unable to create Wasm plugin default/bench';

/** The core that a server has to itself, and that of the driver. */
export const SERVER_CORE = '0';
export const DRIVER_CORE = '1';
