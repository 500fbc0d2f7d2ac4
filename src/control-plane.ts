import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Addresses, advertised, keepAddresses } from './addresses.ts';
import { ensureAdminToken } from './api/access/admin-token.ts';
import { createTokenCheck } from './api/access/token-check.ts';
import { readFleet } from './api/fleet.ts';
import { createMeter } from './api/metrics/create-meter.ts';
import { createScrape } from './api/metrics/create-scrape.ts';
import { startMetricsServer } from './api/metrics/metrics-server.ts';
import { Registry } from './api/metrics/prometheus.ts';
import { watchEventLoop } from './api/metrics/watch-event-loop.ts';
import { startApiServer } from './api/server.ts';
import { createBackups } from './backup/take-backup.ts';
import { makeCheckResource } from './compile/check-resource.ts';
import { refuseUnknownTypes } from './compile/check-stored.ts';
import { COMPILE_FORMAT } from './compile/compile-format.ts';
import { makeFindReferences } from './compile/find-references.ts';
import type { ModuleAddress } from './compile/module-cluster.ts';
import { installedProtoFiles } from './compile/proto-files.ts';
import { ProtoRegistry } from './compile/proto-registry.ts';
import { readProtosets } from './compile/protoset.ts';
import { makeShowResource } from './compile/show-resource.ts';
import { startSnapshotReconciler } from './compile/snapshot-reconciler.ts';
import {
  ADMIN_TOKEN_FILE,
  asksTokens,
  type Config,
  type Endpoint,
  formatAddress,
  speaksTls,
} from './config.ts';
import type { NodeMetrics } from './model/node-metrics.ts';
import { makeNodeToken, toNodeTokenKey } from './model/node-token.ts';
import type { Log } from './model/ports.ts';
import type { PortTls } from './model/server-tls.ts';
import type { Snapshot } from './model/snapshot.ts';
import { openBlobCache } from './module/blob-cache.ts';
import { startModuleKeeper } from './module/bring-back.ts';
import { createBuiltInRegistry } from './module/built-in-registry.ts';
import { keepCollected } from './module/collect-garbage.ts';
import { createConfigChecker } from './module/config-schema/config-checker.ts';
import { inspectCached } from './module/inspect-module.ts';
import { loadModuleKeys } from './module/module-keys.ts';
import { startModuleReconciler } from './module/module-reconciler.ts';
import { startModuleServer } from './module/module-server.ts';
import { createModuleStorage } from './module/module-storage.ts';
import { createModulePlanner } from './module/plan-module.ts';
import { makePublishRight } from './module/publish-right.ts';
import { createRegistryAudit } from './module/registry-audit.ts';
import { keepScrubbed } from './module/scrub-cache.ts';
import { meterTrials } from './module/trial/metered-trials.ts';
import { createTrialNursery } from './module/trial/trial-nursery.ts';
import { createTrialRunner } from './module/trial/trial-runner.ts';
import { startRolloutController } from './rollout/rollout-controller.ts';
import { createCoalescedWriter } from './store/coalesced-writer.ts';
import { createDenialLog } from './store/denial-log.ts';
import { LiveTable } from './store/live-table.ts';
import { meterStore } from './store/metered-store.ts';
import { createSeal, loadSealKey } from './store/seal.ts';
import { openSqliteStore } from './store/sqlite-store.ts';
import { keepEventsTrimmed } from './store/trim-events.ts';
import { clock, createBusyMeter, nextTurn, random, readMachine, readVersion, steadyClock } from './system.ts';
import { toSoonestEnds } from './tls/read-certificates.ts';
import { type WatchedTls, watchCertificates } from './tls/watch-certificates.ts';
import { linkTo } from './webhook/link-to.ts';
import { createWebhookAccess, startWebhookSender, WEBHOOK_TIMEOUT_MS } from './webhook/webhook-sender.ts';
import { ADMIN_LIMITS, createNodeAdmin } from './xds/access/node-admin.ts';
import { createNodeLogReader } from './xds/access/node-log.ts';
import { createAdsService } from './xds/ads-service.ts';
import { openNodeGate } from './xds/identity/node-gate.ts';
import { LimitGuard } from './xds/limits/limit-guard.ts';
import { XDS_PATIENCE } from './xds/limits/patience.ts';
import { withoutSecretConfigs } from './xds/status/without-secrets.ts';
import type { XdsTransport } from './xds/transport.ts';
import { startXdsServer } from './xds/xds-server.ts';

export interface ControlPlane {
  readonly addresses: Addresses;
  /** Ends what was started, in reverse; Envoys go on with what they run. Idempotent. */
  stop(): Promise<void>;
}

/**
 * Joins the stages around the store: the only place that knows all of them. What fails to start is undone.
 * `transport` carries the xDS port.
 */
export async function startControlPlane(
  config: Config,
  log: Log,
  transport: XdsTransport = startXdsServer,
): Promise<ControlPlane> {
  const stops: (() => Promise<void> | void)[] = [];
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopped ??= (async () => {
      for (const end of stops.reverse()) await end();
    })();
    return stopped;
  };
  try {
    return { addresses: await start(config, log, transport, end => stops.push(end)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function start(
  config: Config,
  log: Log,
  transport: XdsTransport,
  onStop: (end: () => Promise<void> | void) => void,
): Promise<Addresses> {
  const { rootNamespace } = config;
  const startedAt = clock.now();
  const registry = new ProtoRegistry(installedProtoFiles(), readProtosets(config.protosets));
  await mkdir(config.dataDirectory, { recursive: true, mode: 0o700 });
  const prometheus = new Registry();
  const meter = createMeter(prometheus, () => performance.now());
  onStop(watchEventLoop(prometheus, meter, clock));
  const opened = await openSqliteStore({ directory: config.dataDirectory, clock, log });
  const { store, readWatchLag } = meterStore(opened, meter);
  onStop(() => store.close());
  const sealKey = await loadSealKey(config.secretKeyPath, random);
  const seal = createSeal(sealKey, random);
  await refuseUnknownTypes(store, registry, seal);
  const keys = await loadModuleKeys(store, random);
  const cache = await openBlobCache({
    directory: join(config.dataDirectory, 'modules'),
    quotaBytes: config.moduleQuotaBytes,
    clock,
    random,
    log,
  });
  const writer = createCoalescedWriter(store, clock, log);
  onStop(() => writer.stop());
  onStop(keepEventsTrimmed(store, clock, log));

  let builtIn: readonly string[] = [];
  const sources = {
    insecureRegistries: () => [...builtIn, ...config.insecureRegistries],
    registries: config.registries,
    allowPrivateHosts: config.allowPrivateHosts,
    dockerConfigPath: config.dockerConfigPath,
    moduleDirectory: config.moduleDirectory,
    signatures: config.signatures,
    meter,
  };
  const keeper = startModuleKeeper({ store, seal, cache, sources, clock, random, log });
  onStop(() => keeper.stop());
  const tls = config.tls && (await watchCertificates(config.tls, clock, log));
  onStop(() => tls?.stop());
  const tokenKey = toNodeTokenKey(sealKey);
  const gate = await openNodeGate({
    ...{ auth: config.nodeAuth, claims: config.nodeClaims, identity: config.nodeIdentity },
    ...{ tokenKey, store, clock, log },
  });
  onStop(() => gate.stop());
  const moduleServer = await startModuleServer({
    listen: config.modulesListen,
    tls: toPortTls(config, 'modules', tls),
    checkCaller: gate.checkModuleCaller,
    keys: () => keys.accepted,
    cache,
    onMissing: sha256 => keeper.bring(sha256),
    clock,
    log,
  });
  onStop(() => moduleServer.stop());
  const modules = { ...advertised(config, moduleServer.address), speaks: toModuleTransport(config) };

  const metrics = new LiveTable<NodeMetrics>();
  const rollout = await startRolloutController({
    store,
    clock,
    log,
    format: COMPILE_FORMAT,
    rootNamespace,
    metrics,
  });
  onStop(() => rollout.stop());
  const snapshots = new LiveTable<Snapshot>();
  const compile = await startSnapshotReconciler({
    store,
    snapshots,
    modules,
    clock,
    log,
    rootNamespace,
    registry,
    seal,
  });
  onStop(() => compile.stop());

  // Nothing is served before the first full load: an empty answer would wipe what Envoys run.
  const ads = await createAdsService({
    store,
    snapshots,
    metrics,
    fetches: moduleServer.feed,
    moduleKey: keys.current,
    mostNames: config.xdsLimits.names,
    writer,
    clock,
    nextTurn,
    random,
    log,
    meter,
  });
  onStop(() => ads.stop());
  const guard = new LimitGuard({ limits: config.xdsLimits, clock, steady: steadyClock, nextTurn, log });
  const show = makeShowResource(registry);
  const served = { ...ads, configs: withoutSecretConfigs(ads.configs, show) };
  const listen = { ...config.xdsListen, tls: toPortTls(config, 'xds', tls) };
  const xds = await transport({ ads: served, listen, guard, gate, patience: XDS_PATIENCE, log });
  onStop(() => xds.stop());
  const forEnvoys = { xds: formatAddress(advertised(config, xds.address)), modules: formatAddress(modules) };

  const nursery = createTrialNursery({ clock, readBusyShare: createBusyMeter() });
  onStop(() => nursery.close());
  const runner = createTrialRunner({ clock, runProcess: nursery.run });
  onStop(() => runner.close());
  const trials = meterTrials(runner, meter);
  const planner = createModulePlanner({ store, seal, cache, sources, trials, rootNamespace, clock });
  onStop(() => planner.close());
  const configs = createConfigChecker({ store, seal, cache, sources, rootNamespace, clock });
  onStop(() => configs.close());
  const auth = { asksTokens: asksTokens(config), checkToken: createTokenCheck({ store, writer, clock }) };
  if (auth.asksTokens) {
    const path = join(config.dataDirectory, ADMIN_TOKEN_FILE);
    if (await ensureAdminToken({ store, path, clock, random })) log.info({ path }, 'made an admin token');
  }
  const authorize = makePublishRight({ ...auth, tokenPath: config.publishTokenPath, rootNamespace, log });
  const denials = createDenialLog(store, clock, log);
  onStop(() => denials.stop());
  const audit = createRegistryAudit({ store, clock, denials });
  const hub = createBuiltInRegistry({ cache, authorize, audit, clock, random, log });
  onStop(keepCollected({ store, cache, registryHeld: hub.held, clock, log }));
  onStop(keepScrubbed(cache, clock, log));
  const scrape = createScrape(prometheus, {
    readFleet: () =>
      readFleet({ store, rootNamespace, startedAt, now: clock.now(), metrics: node => metrics.get(node) }),
    readStoreRevision: async () => (await store.list('Freeze')).revision,
    readWatchLag,
    readLimits: () => guard.usage(),
    readCertificates: () => toSoonestEnds(tls?.certificates() ?? []),
    readNodeRefusals: () => gate.refusals(),
    version: readVersion(),
    clock,
    log,
  });
  let apiUrl = '';
  const hooks = {
    ...{ store, seal, clock, random, log, allowPrivateHosts: config.allowPrivateHosts },
    timeoutMs: WEBHOOK_TIMEOUT_MS,
    linkTo: (id: string | undefined) => linkTo(config.publicUrl ?? apiUrl, id),
  };
  const api = await startApiServer({
    listen: { ...config.apiListen, tls: toPortTls(config, 'api', tls) },
    auth,
    store,
    checkResource: makeCheckResource(registry),
    seal,
    findReferences: makeFindReferences(registry),
    signatures: config.signatures,
    nodes: {
      readConfig: ads.configs.read,
      show,
      admin: createNodeAdmin({ allowed: config.allowNodeAdmin, ...ADMIN_LIMITS }),
      logs: createNodeLogReader(config.nodeLogDirectory),
    },
    webhooks: createWebhookAccess(hooks),
    planModule: planner.plan,
    checkPluginConfig: configs.check,
    startedAt,
    metrics,
    registry: hub,
    readModuleStorage: createModuleStorage(cache, hub),
    readMachine: () => readMachine(config.dataDirectory),
    requireIfMatch: config.requireIfMatch,
    inspectModule: sha256 => inspectCached(cache, sha256),
    takeBackup: createBackups({
      dataDirectory: config.dataDirectory,
      store: opened,
      blobs: cache,
      clock,
      version: readVersion(),
    }),
    readLimits: () => guard.usage(),
    meter,
    scrape,
    clock,
    random,
    log,
    version: readVersion(),
    addresses: forEnvoys,
    envoyAccess: {
      tls: (['xds', 'modules'] as const).filter(port => speaksTls(config, port)),
      auth: config.nodeAuth,
      makeToken: (node, revokedAt) => makeNodeToken(tokenKey, node, revokedAt),
    },
    certificates: tls,
    rootNamespace,
  });
  onStop(() => api.stop());

  // Over TLS it is a registry like others, whose CA the setting registries names.
  if (api.url.startsWith('http:')) builtIn = [new URL(api.url).host];
  apiUrl = Object.assign(new URL(api.url), {
    hostname: config.advertiseHost ?? new URL(api.url).hostname,
  }).origin;
  const webhooks = startWebhookSender(hooks);
  onStop(() => webhooks.stop());
  const reconciler = await startModuleReconciler({
    store,
    seal,
    tagIntervalMs: config.tagIntervalMs,
    cache,
    sources,
    trials,
    rootNamespace,
    clock,
    random,
    log,
  });
  onStop(() => reconciler.stop());

  const { metricsListen } = config;
  const scraped = metricsListen && (await startMetricsServer(metricsListen, scrape, log));
  if (scraped !== undefined) onStop(() => scraped.stop());
  const addresses: Addresses = {
    ...forEnvoys,
    api: api.url,
    ...(scraped === undefined ? {} : { metrics: formatAddress(scraped.address) }),
  };
  onStop(await keepAddresses(config.dataDirectory, addresses));
  return addresses;
}

/** undefined: the port speaks plain text. */
function toPortTls(
  config: Config,
  port: Endpoint,
  certificates: WatchedTls | undefined,
): PortTls | undefined {
  if (certificates === undefined || !speaksTls(config, port)) return undefined;
  return { certificates, requireClient: port !== 'api' && config.nodeAuth === 'mtls' };
}

function toModuleTransport(config: Config): ModuleAddress['speaks'] {
  if (!speaksTls(config, 'modules')) return 'plain';
  return config.nodeAuth === 'mtls' ? 'mtls' : 'tls';
}
