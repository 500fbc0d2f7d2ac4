import type { LimitList } from '../../api/schema/limit-view.ts';
import type { Index, ServerView, WhoAmI } from '../../api/schema/server-view.ts';
import { toSizeText } from '../../model/quantity-text.ts';
import { findMissingFixes } from '../../model/server-machine.ts';
import { isLoopbackHost } from './address.ts';
import { type Finding, ok, problem, toNameList, warning } from './finding.ts';
import { judgeNodes, type NodeReading } from './judge-nodes.ts';

/** What a running control plane answered, and what this machine saw of it. */
export interface ServerReading {
  readonly url: string;
  readonly index: Pick<Index, 'version' | 'addresses' | 'envoys'>;
  readonly who: Pick<WhoAmI, 'name' | 'role' | 'how'>;
  readonly server: Pick<ServerView, 'runtime' | 'disk'>;
  /** Of `/readyz`; a sentence each. */
  readonly warnings: readonly string[];
  readonly nodes: readonly NodeReading[];
  readonly frozen: string | null;
  readonly limits: readonly Pick<LimitList['items'][number], 'name' | 'hits'>[];
  readonly modules: { readonly usedBytes: number; readonly quotaBytes: number };
  /** Why a port that Envoys use does not answer here; undefined: it does. */
  readonly unreachable: { readonly xds: string | undefined; readonly modules: string | undefined };
  /** The server's clock is ahead by so much, ms, give or take a second; undefined: it does not say. */
  readonly clockAheadMs: number | undefined;
  /** Of this program. */
  readonly ownVersion: string;
}

const CLOCK_TOLERANCE_MS = 5_000;
const LEAST_FREE_BYTES = 200_000_000;
const LITTLE_FREE_BYTES = 1_000_000_000;
/** Of the quota of modules. */
const NEARLY_FULL = 0.9;

/** What is wrong with a control plane, or soon will be. Pure. */
export function judgeServer(reading: ServerReading): readonly Finding[] {
  return [
    ...judgeVersion(reading),
    ...judgeAccess(reading),
    ...judgePorts(reading),
    ...judgeMachine(reading),
    ...reading.warnings.map(text => warning('server-warning', text)),
    ...judgeWork(reading),
    ...judgeNodes(reading.nodes),
  ];
}

function judgeVersion({ index, ownVersion }: ServerReading): readonly Finding[] {
  return index.version === ownVersion
    ? [ok('server', `answers, version ${index.version}`)]
    : [
        warning(
          'other-version',
          `the server is version ${index.version}, this program ${ownVersion}: use the same on both`,
        ),
      ];
}

function judgeAccess({ url, who, index }: ServerReading): readonly Finding[] {
  const { protocol, hostname } = new URL(url);
  const isRemote = !isLoopbackHost(hostname);
  const findings: Finding[] = [];
  if (isRemote && who.how === 'no token needed')
    findings.push(
      problem(
        'open-api',
        'whoever reaches the API may change everything: let it listen on loopback, or ask for tokens (--api-auth token)',
      ),
    );
  if (isRemote && protocol === 'http:')
    findings.push(
      warning(
        'plain-api',
        'tokens and documents cross the network in plain text: give the server a certificate (--tls-cert, --tls-key)',
      ),
    );
  const host = toHost(index.addresses?.xds);
  if (host !== undefined && !isLoopbackHost(host)) {
    if (index.envoys.nodeAuth === 'none')
      findings.push(
        problem(
          'open-xds',
          'whoever reaches the xDS port may say that it is any node, and gets its secrets: --node-auth mtls or token',
        ),
      );
    if (!index.envoys.tls.includes('xds'))
      findings.push(
        warning(
          'plain-xds',
          'Envoys get their configuration in plain text: give the server a certificate (--tls-cert, --tls-key)',
        ),
      );
  }
  return findings.length > 0 ? findings : [ok('access', `you are ${who.name} (${who.role}; ${who.how})`)];
}

function judgePorts({ url, index, unreachable }: ServerReading): readonly Finding[] {
  const { addresses } = index;
  if (addresses === undefined) return [];
  const isRemote = !isLoopbackHost(new URL(url).hostname);
  const ports = (['xds', 'modules'] as const).map(port => ({
    name: port === 'xds' ? 'xDS' : 'module',
    address: addresses[port],
    why: unreachable[port],
  }));
  const onLoopback = isRemote ? ports.filter(port => isLoopbackHost(toHost(port.address) ?? '')) : [];
  if (onLoopback.length > 0)
    return [
      problem(
        'loopback-advertised',
        `Envoys are told ${onLoopback.map(port => port.address).join(' and ')}, which only those on the server's own machine reach: start it with --advertise HOST`,
      ),
    ];
  const closed = ports.filter(port => port.why !== undefined);
  return closed.length === 0
    ? [ok('ports', `xDS ${addresses.xds} and modules ${addresses.modules} answer`)]
    : closed.map(port =>
        problem(
          'port-unreachable',
          `the ${port.name} port ${port.address} does not answer from here (${port.why}): open the way to it, or correct --advertise`,
        ),
      );
}

function judgeMachine({ server, modules, clockAheadMs }: ServerReading): readonly Finding[] {
  return [
    ...judgeRuntime(server.runtime, 'the server runs on'),
    ...judgeClock(clockAheadMs),
    ...judgeDisk(server.disk?.freeBytes),
    ...(modules.usedBytes > modules.quotaBytes * NEARLY_FULL
      ? [
          warning(
            'quota-nearly-used',
            `modules take ${toSizeText(modules.usedBytes)} of ${toSizeText(modules.quotaBytes)}: raise --module-quota, or delete tags that nobody needs`,
          ),
        ]
      : []),
  ];
}

/** `what` begins the sentence: `the server runs on`. */
export function judgeRuntime(runtime: string, what: string): readonly Finding[] {
  const fixed = findMissingFixes(runtime);
  return fixed === undefined
    ? [ok('runtime', `Node.js ${runtime}`)]
    : [
        warning(
          'old-runtime',
          `${what} Node.js ${runtime}, which lacks fixes of TLS and HTTP/2: update it to ${fixed} or later`,
        ),
      ];
}

function judgeClock(aheadMs: number | undefined): readonly Finding[] {
  if (aheadMs === undefined || Math.abs(aheadMs) <= CLOCK_TOLERANCE_MS) return [];
  const seconds = Math.round(Math.abs(aheadMs) / 1000);
  const direction = aheadMs > 0 ? 'ahead of' : 'behind';
  return [
    warning(
      'clock-differs',
      `the server's clock is ${seconds} s ${direction} this machine's, so that ages are wrong and tokens and certificates expire early or late: set both by NTP`,
    ),
  ];
}

/** Undefined: not known. */
export function judgeDisk(freeBytes: number | undefined): readonly Finding[] {
  if (freeBytes === undefined) return [];
  const free = `${toSizeText(freeBytes)} free where the data directory is`;
  if (freeBytes < LEAST_FREE_BYTES)
    return [problem('disk-full', `${free}: changes will fail; make room, Envoys go on meanwhile`)];
  return freeBytes < LITTLE_FREE_BYTES
    ? [warning('disk-nearly-full', `${free}: make room`)]
    : [ok('disk', free)];
}

function judgeWork({ frozen, limits }: ServerReading): readonly Finding[] {
  const hit = limits.filter(limit => limit.hits > 0).map(limit => limit.name);
  return [
    ...(frozen === null
      ? []
      : [warning('frozen', `${frozen.replace(/\.$/, '')}: attache unfreeze takes changes again`)]),
    ...(hit.length === 0
      ? []
      : [
          warning(
            'limits-hit',
            `clients of the xDS port came upon the limit ${toNameList(hit)}: attache get limits; --xds-limit raises it`,
          ),
        ]),
  ];
}

/** Of `HOST:PORT`, without brackets. */
function toHost(address: string | undefined): string | undefined {
  return address?.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
}
