import type { Fault } from './error.ts';
import { parseSize } from './quantity-text.ts';
import { parseDuration } from './rollout-units.ts';

/** What clients of the gRPC port may take; each has a setting of `--xds-limit`. Counts, bytes, ms. */
export interface XdsLimits {
  /** Of one message that comes in. */
  readonly 'message-size': number;
  /** Open at a time. */
  readonly connections: number;
  /** Calls that are open at a time, over all connections. */
  readonly streams: number;
  readonly 'streams-per-connection': number;
  /** Discovery streams that are taken in; a connection has a quarter of it, 50 at most. */
  readonly 'new-streams-per-second': number;
  /** Per stream, on average; ten seconds' worth at once. */
  readonly 'requests-per-second': number;
  /** Resource names that one Envoy asks for, over all its streams. */
  readonly names: number;
  /** For a stream that was opened and has not asked for anything. */
  readonly 'first-request': number;
}

export type XdsLimitName = keyof XdsLimits;

/** How often a limit was hit since the start, and when last (ms since the epoch). */
export interface LimitHits {
  readonly count: number;
  readonly lastAt: number | null;
}

/** What is in use of the limits now, and what was refused. */
export interface LimitUsage {
  readonly limits: XdsLimits;
  readonly hits: Readonly<Record<XdsLimitName, LimitHits>>;
  readonly connections: number;
  readonly streams: number;
}

export interface XdsLimitRow {
  readonly name: XdsLimitName;
  readonly kind: 'count' | 'size' | 'duration';
  readonly byDefault: string;
  /** What it bounds. */
  readonly help: string;
  /** What happens to who goes beyond it. */
  readonly beyond: string;
}

const COUNT = { kind: 'count' } as const;

/** One row per limit: the table in docs/configuration.md. */
export const XDS_LIMITS: readonly XdsLimitRow[] = [
  {
    name: 'message-size',
    kind: 'size',
    byDefault: '64MiB',
    help: 'one message from a client, after decompression',
    beyond: 'the stream ends: `message-too-large`',
  },
  {
    ...COUNT,
    name: 'connections',
    byDefault: '10000',
    help: 'connections open at a time',
    beyond: 'its streams are refused, then it is closed: `too-many-connections`',
  },
  {
    ...COUNT,
    name: 'streams',
    byDefault: '50000',
    help: 'streams and calls open at a time, over all connections',
    beyond: 'the new one is refused: `too-many-streams`',
  },
  {
    ...COUNT,
    name: 'streams-per-connection',
    byDefault: '1024',
    help: 'streams and calls open at a time on one connection',
    beyond: 'the new one is refused: `too-many-streams`',
  },
  {
    ...COUNT,
    name: 'new-streams-per-second',
    // One costs about 0.6 ms of CPU until it has its configuration: one core cannot serve more.
    byDefault: '2000',
    help: 'discovery streams taken in; for one connection and its calls of every kind a quarter of it, 50 at most',
    beyond: 'it waits for a second at most, then is refused: `too-many-new-streams`',
  },
  {
    ...COUNT,
    name: 'requests-per-second',
    byDefault: '100',
    help: 'requests of one stream on average, ten seconds of it at once; each 256 KiB count as one more',
    beyond: 'the stream is read slowly; after a minute of it, it ends: `requests-too-fast`',
  },
  {
    ...COUNT,
    name: 'names',
    byDefault: '20000',
    help: 'resource names that one Envoy asks for, over all its streams',
    beyond: 'the stream ends: `too-many-names`',
  },
  {
    name: 'first-request',
    kind: 'duration',
    byDefault: '30s',
    help: 'for the first request on a new stream',
    beyond: 'the stream ends: `first-request-missing`',
  },
];

/** From `name=value` each; what is not named has its default. Faults are added to `faults`. */
export function parseXdsLimits(texts: readonly string[], faults: Fault[]): XdsLimits {
  const given = new Map<string, string>();
  for (const text of texts) {
    const [, name = '', value = ''] = /^([^=]*)=(.*)$/.exec(text) ?? [];
    if (XDS_LIMITS.some(row => row.name === name.trim())) given.set(name.trim(), value.trim());
    else faults.push(toFault(text, `expected NAME=VALUE, NAME one of ${listNames()}`));
  }
  const limits = XDS_LIMITS.map(row => {
    const text = given.get(row.name) ?? row.byDefault;
    const value = parse(row, text);
    if (value === undefined) faults.push(toFault(`${row.name}=${text}`, EXPECTED[row.kind](row.byDefault)));
    return [row.name, value ?? 1];
  });
  return Object.fromEntries(limits) as Record<XdsLimitName, number>;
}

const EXPECTED = {
  count: (example: string) => `expected a whole number above 0, e.g. ${example}`,
  size: (example: string) => `expected a size of 64KiB to 2GB, e.g. ${example}`,
  duration: (example: string) => `expected a duration of 1s or more, e.g. ${example}`,
};

/** A node message of a stock Envoy has 60 kB; a buffer cannot be longer than 2 GiB everywhere. */
const SIZES = { least: 64 * 1024, most: 2_000_000_000 };

function parse({ kind }: XdsLimitRow, text: string): number | undefined {
  if (kind === 'count') return /^[1-9]\d{0,8}$/.test(text) ? Number(text) : undefined;
  const value = kind === 'size' ? parseSize(text) : parseDuration(text);
  const { least, most } = kind === 'size' ? SIZES : { least: 1_000, most: 2 ** 31 - 1 };
  return value !== undefined && value >= least && value <= most ? value : undefined;
}

function listNames(): string {
  return XDS_LIMITS.map(({ name }) => name).join(', ');
}

function toFault(text: string, expected: string): Fault {
  return { pointer: '/xds-limit', message: `--xds-limit ${text}: ${expected}` };
}

export const DEFAULT_XDS_LIMITS: XdsLimits = Object.freeze(parseXdsLimits([], []));
