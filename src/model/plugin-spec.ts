import { hash } from 'node:crypto';
import type { GroupMembers } from './node-group.ts';

/** The desired document, as stored: an Istio WasmPlugin with defaults left out and unknown fields refused. */
export interface PluginSpec {
  readonly namespace: string;
  readonly name: string;
  /** As written, e.g. `oci://registry.example/auth:1.4`. */
  readonly url: string;
  readonly sha256?: string;
  readonly imagePullPolicy?: 'IfNotPresent' | 'Always';
  readonly imagePullSecret?: string;
  readonly verificationKey?: string;
  readonly selector?: { readonly matchLabels: Readonly<Record<string, string>> };
  readonly targetRefs?: readonly TargetRef[];
  readonly match?: readonly TrafficMatch[];
  readonly pluginConfig?: JsonObject;
  readonly pluginName?: string;
  readonly phase?: Phase;
  readonly priority?: number;
  readonly failStrategy?: FailStrategy;
  readonly env?: readonly EnvVar[];
  /** The free `spec.rollout` of the document, kept as written until the rollout stage reads it. */
  readonly rollout?: JsonObject;
  readonly message?: string;
  /** `apply --preset`: for the rollout that this document starts, and no later one. */
  readonly preset?: string;
  /** Who applied it. */
  readonly by?: string;
  /** Deleted: the plugin leaves its nodes in the steps of a rollout; the record stays until history is dropped. */
  readonly deleted?: Deletion;
  readonly createdAt: number;
}

export interface Deletion {
  readonly at: number;
  readonly by: string;
  readonly message?: string;
  /** All nodes at once. */
  readonly now: boolean;
}

export type Phase = 'AUTHN' | 'AUTHZ' | 'STATS' | 'UNSPECIFIED_PHASE';
export type FailStrategy = 'FAIL_CLOSE' | 'FAIL_OPEN' | 'FAIL_RELOAD';
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;
export type JsonObject = { readonly [key: string]: JsonValue };

export interface TargetRef {
  readonly kind: 'Gateway' | 'GatewayClass' | 'NodeGroup' | 'Listener';
  readonly group?: string;
  readonly name: string;
  /** Of a NodeGroup: whom it stood for when the plugin was stored (see node-group.ts); absent: there is none. */
  readonly members?: GroupMembers;
}

/** AND inside one entry, OR over entries (Istio's TrafficSelector). */
export interface TrafficMatch {
  readonly mode?: 'CLIENT' | 'SERVER' | 'CLIENT_AND_SERVER';
  readonly ports?: readonly number[];
}

export interface EnvVar {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: 'INLINE' | 'HOST';
}

/** `<namespace>/<name>`: how a plugin is named everywhere, also as Envoy's PluginConfig.name. */
export type PluginName = string;

export function toPluginName(of: { namespace: string; name: string }): PluginName {
  return `${of.namespace}/${of.name}`;
}

/** The two parts of a name; neither holds a slash. */
export function parsePluginName(plugin: PluginName): { readonly namespace: string; readonly name: string } {
  const slash = plugin.indexOf('/');
  return { namespace: plugin.slice(0, slash), name: plugin.slice(slash + 1) };
}

/** The four phases in chain order, each with the slot that holds it. */
export const PHASES: readonly { readonly phase: Phase; readonly slot: string }[] = [
  { phase: 'AUTHN', slot: 'attache.authn' },
  { phase: 'AUTHZ', slot: 'attache.authz' },
  { phase: 'STATS', slot: 'attache.stats' },
  { phase: 'UNSPECIFIED_PHASE', slot: 'attache.last' },
];

/** Whether a module's url names an artifact in a registry: only these schemes do not. */
export function isOciUrl(url: string): boolean {
  return !/^(https?|file):\/\//.test(url);
}

/**
 * What `imagePullPolicy` means, with Istio's default: Always for the tag `latest`, else IfNotPresent. What is named by
 * its digest cannot change, whatever is written.
 * https://istio.io/latest/docs/reference/config/proxy_extensions/wasm-plugin/#PullPolicy
 */
export function toPullPolicy({
  imagePullPolicy,
  url,
  sha256,
}: Pick<PluginSpec, 'imagePullPolicy' | 'url' | 'sha256'>): 'IfNotPresent' | 'Always' {
  if (isOciUrl(url) && (url.includes('@') || sha256 !== undefined)) return 'IfNotPresent';
  if (imagePullPolicy !== undefined) return imagePullPolicy;
  const hasTag = /:[^/]+$/.test(url);
  return isOciUrl(url) && (!hasTag || url.endsWith(':latest')) ? 'Always' : 'IfNotPresent';
}

/** JSON text with sorted keys, so that equal values have equal text. */
export function toCanonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    part !== null && typeof part === 'object' && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : part,
  );
}

/** Lower-case hex sha256 of text or bytes. */
export function sha256Hex(of: string | Uint8Array): string {
  return hash('sha256', of);
}
