import type { NodeClaims } from './node-auth.ts';
import type { PluginName } from './plugin-spec.ts';

/** Content that failed for a plugin, whatever the selector. Written by the rollout stage; lifted by retry. */
export interface Quarantine {
  readonly plugin: PluginName;
  readonly contentHash: string;
  readonly revision: number;
  /** Id of the rollout in which it failed, or that was undone. */
  readonly rollout: string;
  readonly cause: 'refused' | 'failed' | 'aborted' | 'undone';
  /** A sentence with node and time left to the reader: `was refused by edge-b-041 and 2 more`. */
  readonly text: string;
  readonly by?: string;
  readonly at: number;
}

/** All changes stop until it is lifted. Written by the api; one record. */
export interface Freeze {
  readonly by: string;
  readonly message: string | null;
  readonly at: number;
}

/** What the server side says of a node. Written by the api; key node.id. */
export interface NodePolicy {
  readonly node: string;
  /** It takes part in no rollout and stays on what was proven. */
  readonly excluded?: { readonly by: string; readonly message: string | null; readonly at: number };
  /** Records of this node from before this time are to be forgotten (it is gone). */
  readonly forget?: { readonly by: string; readonly message: string | null; readonly at: number };
  /** What the server takes the node for, whatever it says of itself; kept when the node is forgotten. */
  readonly identity?: FixedIdentity;
  /** The name in the certificate of this node, and of no other one; absent: as the setting node-identity has it. */
  readonly certificate?: string;
  /** What proved this node before this time proves it no more: tokens, and certificates that were valid by then. */
  readonly revoked?: { readonly by: string; readonly message: string | null; readonly at: number };
  /** Where the server reaches the Envoy's admin interface, `http://HOST:PORT`. */
  readonly admin?: string;
  /** The Envoy's log, relative to the folder that the server's settings allow. */
  readonly logFile?: string;
}

/** Read through toEffectiveNode. */
export interface FixedIdentity {
  readonly namespace?: string;
  readonly labels: Readonly<Record<string, string>>;
  /** What namespace and labels of the node's own are worth; absent: as the setting node-claims has it. */
  readonly claims?: NodeClaims;
}
