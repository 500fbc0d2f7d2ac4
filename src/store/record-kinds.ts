import type { ApiToken, TokenUse } from '../model/api-token.ts';
import type { Assignment } from '../model/assignment.ts';
import type { AuditEntry, AuditHead } from '../model/audit.ts';
import type { Event } from '../model/event.ts';
import type { Freeze, NodePolicy, Quarantine } from '../model/fleet-records.ts';
import type { NodePresence } from '../model/node.ts';
import type { NodeGroup } from '../model/node-group.ts';
import type { NodeVerdict } from '../model/node-verdict.ts';
import type { PluginSpec } from '../model/plugin-spec.ts';
import type { PullSecret } from '../model/pull-secret.ts';
import type { ResourceSpec } from '../model/resource.ts';
import type { ModuleProgress, Revision } from '../model/revision.ts';
import type { Rollout, RolloutNodes } from '../model/rollout.ts';
import type { RolloutIntent } from '../model/rollout-intent.ts';
import type { Webhook, WebhookState } from '../model/webhook.ts';

/** Every stored record kind with its value. */
export interface Records {
  /** key `<namespace>/<name>` */
  PluginSpec: PluginSpec;
  /** key `<type>/<namespace>/<name>` */
  ResourceSpec: ResourceSpec;
  /** key `<namespace>/<name>` */
  PullSecret: PullSecret;
  /** key `<namespace>/<name>` */
  NodeGroup: NodeGroup;
  /** key `<namespace>/<name>/<number, 10 digits>` */
  Revision: Revision;
  /** key `<namespace>/<name>` */
  ModuleProgress: ModuleProgress;
  /** key `<namespace>/<name>` */
  Assignment: Assignment;
  /** key `<namespace>/<name>/<number, 10 digits>` */
  Rollout: Rollout;
  /** key as its Rollout's */
  RolloutNodes: RolloutNodes;
  /** key `<namespace>/<name>` */
  RolloutIntent: RolloutIntent;
  /** key `<namespace>/<name>/<content hash>` */
  Quarantine: Quarantine;
  /** key `fleet` */
  Freeze: Freeze;
  /** key: its id */
  Token: ApiToken;
  /** key as its Token's */
  TokenUse: TokenUse;
  /** key node.id */
  NodePolicy: NodePolicy;
  /** key node.id */
  NodePresence: NodePresence;
  /** key `<node.id>\n<slot>` */
  NodeVerdict: NodeVerdict;
  /** key `<at, 15 digits>-<random>` */
  Event: Event;
  /** key: its name */
  Webhook: Webhook;
  /** key: its webhook's name */
  WebhookState: WebhookState;
  /** key: its number, 12 digits; appended by the store alone, never written over or deleted */
  AuditEntry: AuditEntry;
  /** key `head`; written by the store alone, with every entry */
  AuditHead: AuditHead;
  /** key `current` or `previous`: hex of the HMAC key of module URLs */
  ModuleKey: { readonly hex: string };
}

export type Kind = keyof Records;

/** Kinds that only the store itself writes, with the operation `append`. */
export const APPENDED_KINDS = ['AuditEntry', 'AuditHead'] as const satisfies readonly Kind[];
/** Kinds that are put and deleted. */
export type WritableKind = Exclude<Kind, (typeof APPENDED_KINDS)[number]>;

/**
 * Kinds that a whole fleet writes at once: in memory, and durable in segments, which costs a third of what a row each
 * does. See observed-records.ts for what their readers and writers must know.
 */
export const OBSERVED_KINDS = [
  'NodePresence',
  'NodeVerdict',
  'Event',
] as const satisfies readonly WritableKind[];

const OBSERVED: ReadonlySet<Kind> = new Set(OBSERVED_KINDS);

/** Of operations or changes. */
export function kindsOf(parts: readonly { readonly kind: Kind }[]): ReadonlySet<Kind> {
  const kinds = new Set<Kind>();
  for (const { kind } of parts) kinds.add(kind);
  return kinds;
}

export function isObserved(kind: Kind): boolean {
  return OBSERVED.has(kind);
}

/** Each record kind has one writing folder; test/architecture.test.ts checks that no other one writes it. */
export const WRITERS: Readonly<Record<Kind, readonly string[]>> = {
  PluginSpec: ['api'],
  ResourceSpec: ['api'],
  PullSecret: ['api'],
  NodeGroup: ['api'],
  Revision: ['module'],
  ModuleProgress: ['module'],
  Assignment: ['rollout'],
  Rollout: ['rollout'],
  RolloutNodes: ['rollout'],
  RolloutIntent: ['api'],
  Quarantine: ['rollout'],
  Freeze: ['api'],
  Token: ['api'],
  TokenUse: ['api'],
  NodePolicy: ['api'],
  NodePresence: ['xds'],
  NodeVerdict: ['xds'],
  Event: ['api', 'module', 'rollout', 'xds'],
  Webhook: ['api'],
  WebhookState: ['webhook'],
  AuditEntry: ['store'],
  AuditHead: ['store'],
  ModuleKey: ['module'],
};

export function revisionKey(plugin: string, number: number): string {
  return `${plugin}/${String(number).padStart(10, '0')}`;
}

export function rolloutKey(plugin: string, number: number): string {
  return revisionKey(plugin, number);
}

export function quarantineKey(plugin: string, contentHash: string): string {
  return `${plugin}/${contentHash}`;
}

export const FREEZE_KEY = 'fleet';

export const AUDIT_HEAD_KEY = 'head';

export function auditKey(number: number): string {
  return String(number).padStart(12, '0');
}

export function verdictKey(node: string, slot: string): string {
  return `${node}\n${slot}`;
}

export function eventKey(at: number, random: string): string {
  return `${String(at).padStart(15, '0')}-${random}`;
}
