import type { ConfigStatus, RefusedConfig, ResourceConfig } from '../../model/node-config.ts';
import type { EncodedResource } from '../../model/resource.ts';
import { SECRET_TYPE } from '../../model/type-url.ts';
import type { ResourceState } from './resource-states.ts';

/** What is known of one resource that is no extension config. */
export interface ResourceFacts {
  readonly typeUrl: string;
  readonly name: string;
  /** undefined: the node is not to have it. */
  readonly wanted: EncodedResource | undefined;
  /** Of all streams of the node; those that ask for all of the type as well. */
  readonly states: readonly ResourceState[];
  readonly connected: boolean;
}

/**
 * The status of a resource. What is out comes first; a refusal counts while the refused version is still the wanted one;
 * with several streams, all of them have to have it.
 */
export function toResourceConfig(facts: ResourceFacts): ResourceConfig {
  const { typeUrl, name, wanted, states } = facts;
  const sent = states.findLast(({ state }) => state === 'sent');
  const acked = states.filter(({ state }) => state === 'acked');
  const nacked = states.findLast(({ state, version }) => state === 'nacked' && version === wanted?.version);
  const status = toStatus(facts, sent, nacked, acked);
  const newest = status === 'STALE' ? sent : status === 'ERROR' ? nacked : acked.at(-1);
  const isWanted = status !== 'STALE' || sent?.version === wanted?.version;
  return {
    typeUrl,
    name,
    status,
    asked: states.some(({ state }) => state === 'asked'),
    wantedVersion: wanted?.version ?? null,
    sentVersion: (sent ?? nacked ?? acked.at(-1))?.version || null,
    ackedVersion: acked.at(-1)?.version ?? null,
    at: status === 'NOT_SENT' ? null : (newest?.at ?? null),
    refused: status === 'ERROR' && nacked !== undefined ? toRefused(nacked) : null,
    config: isWanted && wanted !== undefined && typeUrl !== SECRET_TYPE ? wanted.any : null,
  };
}

function toStatus(
  { connected, wanted }: ResourceFacts,
  sent: ResourceState | undefined,
  nacked: ResourceState | undefined,
  acked: readonly ResourceState[],
): ConfigStatus {
  if (!connected) return 'UNKNOWN';
  if (sent !== undefined) return 'STALE';
  if (nacked !== undefined) return 'ERROR';
  const has = acked.length > 0 && acked.every(({ version }) => version === wanted?.version);
  return has ? 'SYNCED' : 'NOT_SENT';
}

function toRefused({ version, message = '', at }: ResourceState): RefusedConfig {
  return { version, message, at };
}
