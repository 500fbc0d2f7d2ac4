import type { ConfigStatus, RefusedConfig, ResourceConfig } from '../../model/node-config.ts';
import type { NodeVerdict } from '../../model/node-verdict.ts';
import type { SlotContent } from '../../model/snapshot.ts';
import { EXTENSION_CONFIG_TYPE } from '../../model/type-url.ts';
import { toVersion } from '../push/attempt.ts';

/** What is known of one extension config, which is what stands in a slot. */
export interface PlaceFacts {
  readonly slot: string;
  /** undefined: nothing was compiled for the node yet. */
  readonly wanted: SlotContent | undefined;
  /** Of the process that runs now; undefined: none yet. */
  readonly verdict: NodeVerdict | undefined;
  readonly connected: boolean;
  readonly asked: boolean;
}

/** A process that cannot fetch a module NACKs every push of it, with a text about its cache. */
const UNREACHABLE = 'the node cannot fetch a module of it from the module port';

/**
 * The status of an extension config. A refusal is told while the last good content serves in its stead; a first NACK
 * means that Envoy has to fetch the code, which is "not answered".
 */
export function toPlaceConfig({ slot, wanted, verdict, connected, asked }: PlaceFacts): ResourceConfig {
  const status = connected ? toStatus(wanted, verdict) : 'UNKNOWN';
  const tried = verdict?.tried ?? null;
  const refused = status === 'ERROR' && verdict !== undefined ? toRefused(verdict) : null;
  const aboutHash = status === 'ERROR' ? refused?.hash : wanted?.contentHash;
  return {
    typeUrl: EXTENSION_CONFIG_TYPE,
    name: slot,
    status,
    asked,
    wantedVersion: toVersionOrNull(wanted?.contentHash),
    sentVersion: toVersionOrNull(tried?.contentHash),
    ackedVersion: toVersionOrNull(verdict?.accepted?.contentHash),
    at: status === 'NOT_SENT' ? null : (verdict?.since ?? null),
    refused: refused?.config ?? null,
    // As compiled: the capabilities of the process for its modules are left out of it.
    config: wanted !== undefined && aboutHash === wanted.contentHash ? wanted.verdict.bytes : null,
  };
}

function toStatus(wanted: SlotContent | undefined, verdict: NodeVerdict | undefined): ConfigStatus {
  if (wanted === undefined || verdict === undefined || verdict.tried === null) return 'NOT_SENT';
  switch (verdict.state) {
    case 'refused':
    case 'unreachable':
      return 'ERROR';
    case 'accepted':
      return verdict.accepted?.contentHash === wanted.contentHash ? 'SYNCED' : 'NOT_SENT';
    case 'fetching':
      return 'STALE';
    case 'sent':
      return verdict.tried.contentHash === wanted.contentHash && !verdict.tried.acked ? 'STALE' : 'NOT_SENT';
    default:
      return verdict.state satisfies never;
  }
}

function toRefused({ state, refused, tried, since }: NodeVerdict): {
  readonly hash: string | undefined;
  readonly config: RefusedConfig;
} {
  const isRefusal = state === 'refused' && refused !== null;
  const hash = isRefusal ? refused.contentHash : tried?.contentHash;
  const { message, at } = isRefusal ? refused : { message: UNREACHABLE, at: since };
  return { hash, config: { version: toVersionOrNull(hash) ?? '', message, at } };
}

function toVersionOrNull(contentHash: string | undefined): string | null {
  return contentHash === undefined ? null : toVersion(contentHash, 'verdict');
}
