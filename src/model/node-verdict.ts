import type { PluginName } from './plugin-spec.ts';

/**
 * What a process said or showed about a slot's content. Written by the xds stage, coalesced; one record per
 * node and slot, kept until superseded. A refusal is state, not an event.
 */
export interface NodeVerdict {
  readonly node: string;
  readonly process: string;
  readonly slot: string;
  readonly state: VerdictState;
  /** When `state` began. */
  readonly since: number;
  /** The content pushed last, whatever came of it; null: nothing was pushed to this process yet. */
  readonly tried: TriedContent | null;
  /** The content last accepted in the verdict form; it serves whatever happened since. */
  readonly accepted: AcceptedContent | null;
  /** The newest refusal that no later acceptance of the same plugin's newer content has superseded. */
  readonly refused: RefusedContent | null;
}

/**
 * sent: pushed, no verdict. fetching: a miss, the Envoy downloads. unreachable: it cannot get the module from
 * us. accepted: ACK in the verdict form. refused: confirmed; last good serves.
 */
export type VerdictState = 'sent' | 'fetching' | 'unreachable' | 'accepted' | 'refused';

export interface TriedContent {
  readonly contentHash: string;
  /** Envoy ACKed it. Without that nobody knows whether it arrived: our end may have come before. */
  readonly acked: boolean;
  readonly plugins: readonly PluginInSlot[];
}

export interface AcceptedContent {
  readonly contentHash: string;
  readonly at: number;
  readonly plugins: readonly PluginInSlot[];
  /** Names of the plugins that the Envoy's stats proved to run on every worker; kept while their part stays. */
  readonly loaded?: readonly PluginName[];
}

export interface PluginInSlot {
  readonly plugin: PluginName;
  readonly revision: number;
}

export interface RefusedContent {
  readonly contentHash: string;
  /** Absent when Envoy named none and more than one had changed. */
  readonly plugin?: PluginName;
  readonly revision?: number;
  readonly message: string;
  readonly at: number;
  /** The last good content was ACKed after it: Envoy's "last tried" is good again. */
  readonly healed: boolean;
}
