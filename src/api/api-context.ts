import type { FastifyRequest } from 'fastify';
import type { TakeBackup } from '../model/backup.ts';
import type { Caller } from '../model/caller.ts';
import type { InspectModule } from '../model/module-inspection.ts';
import type { CheckPluginConfig, PlanModule } from '../model/module-plan.ts';
import type { ReadModuleStorage } from '../model/module-storage.ts';
import type { NodeAccess } from '../model/node-access.ts';
import type { EnvoyAccess } from '../model/node-auth.ts';
import type { NodeMetrics } from '../model/node-metrics.ts';
import type { Clock, Log, RandomHex } from '../model/ports.ts';
import type { Seal } from '../model/pull-secret.ts';
import type { CheckResource } from '../model/resource.ts';
import type { FindReferences } from '../model/resource-facts.ts';
import type { ReadServerMachine } from '../model/server-machine.ts';
import type { ServerTls } from '../model/server-tls.ts';
import type { SignaturePolicy } from '../model/signature-policy.ts';
import type { WebhookAccess } from '../model/webhook.ts';
import type { LimitUsage } from '../model/xds-limits.ts';
import type { DenialLog } from '../store/denial-log.ts';
import type { LiveTable } from '../store/live-table.ts';
import type { Store } from '../store/store.ts';
import { type Fleet, readFleet } from './fleet.ts';

/** What the routes are given. */
export interface ApiContext {
  readonly store: Store;
  readonly checkResource: CheckResource;
  /** Closes credentials before they are stored. */
  readonly seal: Seal;
  /** What resources need of each other. */
  readonly findReferences: FindReferences;
  /** Who has to sign: what is gone back to, too. */
  readonly signatures: SignaturePolicy;
  /** What nodes have, were sent and log. */
  readonly nodes: NodeAccess;
  /** What the module stage would make of a document; absent: plans leave modules out. */
  readonly planModule?: PlanModule;
  /** Configurations against what their modules say of them; absent: the module stage alone checks them. */
  readonly checkPluginConfig?: CheckPluginConfig;
  /** What the data directory holds of modules. */
  readonly readModuleStorage: ReadModuleStorage;
  /** Of the machine that this runs on. */
  readonly readMachine: ReadServerMachine;
  /** What is in a module, by hex sha256; undefined: its bytes are not here. */
  readonly inspectModule: InspectModule;
  /** All that the data directory holds. */
  readonly takeBackup: TakeBackup;
  /** What Envoys pushed of their stats, by node.id; absent: nothing is known. */
  readonly metrics?: LiveTable<NodeMetrics>;
  /** What clients of the xDS port may take, and what they took. */
  readonly readLimits: () => LimitUsage;
  readonly clock: Clock;
  readonly random: RandomHex;
  readonly log: Log;
  readonly version: string;
  /** When this server started, ms: Envoys that are not back yet since then are waited for. */
  readonly startedAt: number;
  /** How long an answer waits for another stage to take in what was asked, ms; default 10 s. */
  readonly takeInMs?: number;
  /** Where Envoys find us, `HOST:PORT`, as `GET /` tells them who write bootstraps. */
  readonly addresses?: { readonly xds: string; readonly modules: string };
  readonly envoyAccess: EnvoyAccess;
  /** Those that the ports use; undefined: none speaks TLS. */
  readonly certificates: Pick<ServerTls, 'certificates' | 'warnings'> | undefined;
  /** A document in this namespace selects nodes of every namespace. */
  readonly rootNamespace: string;
  /** What the webhook stage does for a request. */
  readonly webhooks: WebhookAccess;
  /** Where changes that were refused go. */
  readonly denials: DenialLog;
  /** Runs writes one after the other, so that what a write was checked against still holds when it is made. */
  readonly exclusive: <T>(write: () => Promise<T>) => Promise<T>;
}

/** A context with who asks: what every change takes. */
export interface CallContext extends ApiContext {
  readonly caller: Caller;
  /** `?dryRun=true`: all is done but the storing. */
  readonly dryRun: boolean;
}

export function withCaller(
  context: ApiContext,
  request: Pick<FastifyRequest, 'caller' | 'query'>,
): CallContext {
  const { dryRun } = request.query as { readonly dryRun?: boolean };
  return { ...context, caller: request.caller, dryRun: dryRun === true };
}

export function readNow({ store, rootNamespace, clock, startedAt, metrics }: ApiContext): Promise<Fleet> {
  return readFleet({
    store,
    rootNamespace,
    startedAt,
    now: clock.now(),
    metrics: node => metrics?.get(node),
  });
}

/** Makes the `exclusive` of a context. */
export function createExclusive(): ApiContext['exclusive'] {
  let last: Promise<unknown> = Promise.resolve();
  return write => {
    const next = last.then(write, write);
    last = next.catch(() => undefined);
    return next;
  };
}
