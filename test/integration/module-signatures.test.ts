import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { silentMeter } from '../../src/model/meter.ts';
import type { ModuleSignature } from '../../src/model/module-signature.ts';
import { type PluginSpec, toPluginName } from '../../src/model/plugin-spec.ts';
import { silentLog } from '../../src/model/ports.ts';
import type { ModuleProgress } from '../../src/model/revision.ts';
import { NO_SIGNATURE_POLICY, type SignaturePolicy } from '../../src/model/signature-policy.ts';
import { parseSignaturePolicy } from '../../src/model/signature-policy-document.ts';
import { startModuleReconciler } from '../../src/module/module-reconciler.ts';
import { createModulePlanner } from '../../src/module/plan-module.ts';
import { pushModule } from '../../src/module/push-module.ts';
import { revisionKey } from '../../src/store/record-kinds.ts';
import { openSqliteStore } from '../../src/store/sqlite-store.ts';
import { stopAfter } from '../harness/cleanup.ts';
import { until } from '../harness/wait.ts';
import {
  makeDirectory,
  makeModule,
  openTestCache,
  random,
  SHORT_LIMITS,
  startRegistry,
  systemClock,
  type TestRegistry,
  testSeal,
} from '../module/actors.ts';
import { pushBundle, pushIndex, pushSimpleSigning } from '../module/signature/push-signature.ts';
import { makeSigner, type Signer } from '../module/signature/signing.ts';

const PLUGIN = 'default/auth';
const release = makeSigner('p256', 'release');
const stranger = makeSigner('ed25519');
const never = new AbortController().signal;

function policy(rules: readonly object[], signers: readonly Signer[] = [release]): SignaturePolicy {
  const authorities = [{ name: 'release', keys: signers.map(({ pem }) => pem) }];
  const parsed = parseSignaturePolicy({ authorities, rules }, () => assert.fail('no file'));
  assert.ok(!Array.isArray(parsed), JSON.stringify(parsed));
  return parsed;
}

const everywhere = (mode: 'require' | 'warn', signers?: readonly Signer[]) =>
  policy([{ pattern: '**', mode, authorities: ['release'] }], signers);

/** The module stage over a store, with a registry that can be switched off. */
async function setUp(t: TestContext, signatures: SignaturePolicy = NO_SIGNATURE_POLICY) {
  let isDown = false;
  const registry: TestRegistry = await startRegistry(t, (_request, response) => {
    if (isDown) response.writeHead(503, { 'retry-after': '0' }).end();
    return isDown;
  });
  const { host } = registry;
  const directory = await makeDirectory(t);
  const store = await openSqliteStore({ directory, clock: systemClock });
  stopAfter(t, { stop: () => store.close() });
  const cache = await openTestCache(join(directory, 'modules'));
  const toOptions = (signatures: SignaturePolicy) => ({
    store,
    cache,
    sources: {
      insecureRegistries: () => [host],
      registries: [],
      allowPrivateHosts: [],
      meter: silentMeter,
      dockerConfigPath: undefined,
      moduleDirectory: directory,
      signatures,
      timeLimits: SHORT_LIMITS,
    },
    seal: testSeal,
    tagIntervalMs: undefined,
    rootNamespace: 'istio-system',
    clock: systemClock,
  });
  const start = (signatures: SignaturePolicy) =>
    startModuleReconciler({ ...toOptions(signatures), random, log: silentLog });
  let running = await start(signatures);
  stopAfter(t, { stop: () => running.stop() });
  const read = async () => (await store.get('ModuleProgress', PLUGIN))?.value;
  return {
    host,
    registry,
    directory,
    store,
    push: async (name: string, comment: string) =>
      pushModule({
        bytes: makeModule(comment),
        reference: `${host}/${name}`,
        insecureRegistries: [],
        dockerConfigPath: undefined,
      }),
    apply: async (spec: Partial<PluginSpec>) => {
      const value: PluginSpec = {
        namespace: 'default',
        name: 'auth',
        createdAt: 1,
        url: `${host}/auth:1`,
        ...spec,
      };
      await store.put('PluginSpec', toPluginName(value), value);
    },
    setDown: (down: boolean) => {
      isDown = down;
    },
    restart: async (signatures: SignaturePolicy) => {
      await running.stop();
      running = await start(signatures);
    },
    plan: async (signatures: SignaturePolicy, spec: Partial<PluginSpec>) => {
      const planner = createModulePlanner(toOptions(signatures));
      stopAfter(t, { stop: () => planner.close() });
      const value = { namespace: 'default', name: 'auth', createdAt: 1, url: `${host}/auth:1`, ...spec };
      return planner.plan(value, never);
    },
    /** The progress of the newest spec, once it is what is asked for. */
    reach: (state: ModuleProgress['state'], code?: string): Promise<ModuleProgress> =>
      until(
        async () => {
          const [spec, progress] = [await store.get('PluginSpec', PLUGIN), await read()];
          const isIt = progress?.state === state && progress.code === code;
          return isIt && progress.specRevision === spec?.revision ? progress : undefined;
        },
        { what: `${state} ${code ?? ''}` },
      ),
    signatureOf: async (number: number) =>
      (await store.get('Revision', revisionKey(PLUGIN, number)))?.value.module.signature,
    /** What is recorded of a revision, once it is of this state. */
    see: (number: number, state: ModuleSignature['state'] | undefined) =>
      until(
        async () => {
          const revision = await store.get('Revision', revisionKey(PLUGIN, number));
          const signature = revision?.value.module.signature;
          return revision !== undefined && signature?.state === state ? { signature } : undefined;
        },
        { what: `the signature of revision ${number} to be ${state}` },
      ),
    events: async () => (await store.list('Event')).records.map(({ value }) => value),
  };
}

test('verificationKey: nothing is unpacked before it is signed, and then it is known by whom', async t => {
  const world = await setUp(t);
  const { manifestDigest } = await world.push('auth:1', 'one');
  const asked = world.registry.requests.length;
  await world.apply({ verificationKey: release.pem });
  const { message, hint } = await world.reach('failed', 'signature-missing');
  assert.match(message ?? '', /not signed/);
  assert.ok(hint?.endsWith(`cosign sign --key KEY ${world.host}/auth@${manifestDigest}`));
  const lines = world.registry.requests.slice(asked).map(({ line }) => line);
  assert.ok(lines.every(line => !line.includes('/blobs/')));
  await pushBundle(world.host, 'auth', manifestDigest, release);
  await world.apply({ verificationKey: release.pem, priority: 1 });
  await world.reach('ready');
  const signature = await world.signatureOf(1);
  assert.equal(signature?.state, 'verified');
  assert.deepEqual(signature.by, [
    {
      fingerprint: release.named.key.fingerprint,
      signed: 'manifest',
      digest: manifestDigest,
      format: 'bundle',
    },
  ]);
});

test('a signature by another key is refused, and what ran stays', async t => {
  const world = await setUp(t);
  const first = await world.push('auth:1', 'one');
  await pushSimpleSigning(world.host, 'auth', first.manifestDigest, release);
  await world.apply({ verificationKey: release.pem });
  await world.reach('ready');
  const second = await world.push('auth:2', 'two');
  await pushSimpleSigning(world.host, 'auth', second.manifestDigest, stranger);
  await world.apply({ url: `${world.host}/auth:2`, verificationKey: release.pem });
  await world.reach('failed', 'signature-invalid');
  assert.equal((await world.signatureOf(1))?.state, 'verified');
  assert.equal((await world.store.list('Revision', PLUGIN)).records.length, 1);
  assert.ok(!(await openedLayer(world.registry, second.moduleSha256)));
});

async function openedLayer(registry: TestRegistry, sha256: string): Promise<boolean> {
  return registry.requests.some(
    ({ line }) => line.startsWith('GET') && line.includes(`/blobs/sha256:${sha256}`),
  );
}

test('a signature of the index counts for what is in it', async t => {
  const world = await setUp(t, everywhere('require'));
  const { manifestDigest } = await world.push('auth:1', 'one');
  const index = await pushIndex(world.host, 'auth', manifestDigest, 'multi');
  await pushBundle(world.host, 'auth', index, release);
  await world.apply({ url: `${world.host}/auth:multi` });
  await world.reach('ready');
  const [proof] = (await world.signatureOf(1))?.by ?? [];
  assert.deepEqual([proof?.authority, proof?.signed, proof?.digest], ['release', 'index', index]);
});

test('the plugin names an authority of the server, or one that it does not know', async t => {
  const world = await setUp(t, policy([]));
  const { manifestDigest } = await world.push('auth:1', 'one');
  await pushSimpleSigning(world.host, 'auth', manifestDigest, release);
  await world.apply({ verificationKey: 'nobody' });
  await world.reach('failed', 'signature-key-unknown');
  await world.apply({ verificationKey: 'release' });
  await world.reach('ready');
  assert.equal((await world.signatureOf(1))?.by[0]?.authority, 'release');
});

test("a plugin's own key does not replace what the policy asks for", async t => {
  const world = await setUp(t, everywhere('require'));
  const { manifestDigest } = await world.push('auth:1', 'one');
  await pushSimpleSigning(world.host, 'auth', manifestDigest, stranger);
  await world.apply({ verificationKey: stranger.pem });
  await world.reach('failed', 'signature-invalid');
  await pushBundle(world.host, 'auth', manifestDigest, release);
  await world.apply({ verificationKey: stranger.pem, priority: 1 });
  await world.reach('ready');
  assert.equal((await world.signatureOf(1))?.by.length, 2);
});

test('warn: it goes on, it is recorded and told; a registry that does not say holds nothing up', async t => {
  const world = await setUp(t, everywhere('warn'));
  await world.push('auth:1', 'one');
  await world.apply({});
  await world.reach('ready');
  const signature = await world.signatureOf(1);
  assert.deepEqual([signature?.state, signature?.refused], ['unsigned', false]);
  const told = (await world.events()).filter(({ type }) => type === 'module.signature');
  assert.match(told[0]?.message ?? '', /^revision 1: not signed/);
  world.setDown(true);
  await world.apply({ priority: 1 });
  await world.reach('ready');
  assert.equal((await world.signatureOf(2))?.state, 'unchecked');
});

test('what was made when nothing was asked is looked at when the policy asks, and again when it does not', async t => {
  const world = await setUp(t);
  const { manifestDigest } = await world.push('auth:1', 'one');
  await world.apply({});
  await world.reach('ready');
  assert.equal(await world.signatureOf(1), undefined);
  await world.restart(everywhere('require'));
  await world.reach('failed', 'signature-missing');
  const { signature } = await world.see(1, 'unsigned');
  assert.equal(signature?.refused, true);
  await pushSimpleSigning(world.host, 'auth', manifestDigest, release);
  await world.restart(everywhere('require'));
  assert.equal((await world.reach('ready')).revision, 1);
  await world.see(1, 'verified');
  await world.restart(NO_SIGNATURE_POLICY);
  await world.see(1, undefined);
  assert.equal((await world.reach('ready')).revision, 1);
});

test('another key in the policy: no revision, old ones neither, is passed off as verified', async t => {
  const world = await setUp(t, everywhere('require'));
  for (const tag of ['1', '2']) {
    const { manifestDigest } = await world.push(`auth:${tag}`, tag);
    await pushBundle(world.host, 'auth', manifestDigest, release);
    await world.apply({ url: `${world.host}/auth:${tag}` });
    await world.reach('ready');
  }
  await world.restart(everywhere('require', [stranger]));
  await world.reach('failed', 'signature-invalid');
  for (const number of [1, 2]) await world.see(number, 'failed');
  await world.restart(everywhere('require', [stranger, release]));
  await world.reach('ready');
  for (const number of [1, 2]) await world.see(number, 'verified');
});

test('one more key in the policy while the registry is down: what was verified is enough', async t => {
  const world = await setUp(t, everywhere('require'));
  const { manifestDigest } = await world.push('auth:1', 'one');
  await pushBundle(world.host, 'auth', manifestDigest, release);
  await world.apply({});
  await world.reach('ready');
  const before = await world.signatureOf(1);
  world.setDown(true);
  await world.restart(everywhere('require', [stranger, release]));
  await until(async () => (await world.signatureOf(1))?.policy !== before?.policy, {
    what: 'the signature to be held against the other policy',
  });
  await world.see(1, 'verified');
  await world.reach('ready');
});

test('another key in the policy while the registry is down: marked as not checked, and looked at when it is back', async t => {
  const world = await setUp(t, everywhere('require'));
  const { manifestDigest } = await world.push('auth:1', 'one');
  await pushBundle(world.host, 'auth', manifestDigest, release);
  await pushBundle(world.host, 'auth', manifestDigest, stranger);
  await world.apply({});
  await world.reach('ready');
  world.setDown(true);
  await world.restart(everywhere('require'));
  assert.equal((await world.signatureOf(1))?.state, 'verified', 'the same policy needs no registry');
  await world.restart(everywhere('require', [stranger]));
  await world.see(1, 'unchecked');
  await world.reach('retrying', 'registry-error');
  // Back to the first key: what was verified then is known still.
  await world.restart(everywhere('require'));
  await world.see(1, 'verified');
  await world.restart(everywhere('require', [stranger]));
  await world.see(1, 'unchecked');
  world.setDown(false);
  await world.see(1, 'verified');
  await world.reach('ready');
});

test('another verificationKey in the document is held against the revision that is there', async t => {
  const world = await setUp(t);
  const { manifestDigest } = await world.push('auth:1', 'one');
  await pushSimpleSigning(world.host, 'auth', manifestDigest, release);
  await world.apply({});
  await world.reach('ready');
  await world.apply({ verificationKey: stranger.pem });
  await world.reach('failed', 'signature-invalid');
  await world.see(1, 'failed');
  await world.apply({ verificationKey: release.pem });
  assert.equal((await world.reach('ready')).revision, 1);
  await world.see(1, 'verified');
});

test('a restart asks nothing of a registry for what was verified under the same policy', async t => {
  const world = await setUp(t, everywhere('require'));
  const { manifestDigest } = await world.push('auth:1', 'one');
  await pushSimpleSigning(world.host, 'auth', manifestDigest, release);
  await world.apply({});
  await world.reach('ready');
  const asked = world.registry.requests.length;
  await world.restart(everywhere('require'));
  await world.apply({ priority: 7 });
  assert.equal((await world.reach('ready')).revision, 2);
  assert.equal(world.registry.requests.length, asked);
  assert.equal((await world.signatureOf(2))?.state, 'verified');
});

test('what was signed since is verified for older revisions too, once the document changes', async t => {
  const world = await setUp(t);
  const { manifestDigest } = await world.push('auth:1', 'one');
  for (const priority of [1, 2]) {
    await world.apply({ priority });
    await world.reach('ready');
  }
  await world.restart(everywhere('require'));
  await world.reach('failed', 'signature-missing');
  for (const number of [1, 2]) await world.see(number, 'unsigned');
  await pushBundle(world.host, 'auth', manifestDigest, release);
  await world.apply({ priority: 3 });
  assert.equal((await world.reach('ready')).revision, 3);
  for (const number of [1, 2]) await world.see(number, 'verified');
});

test('the same bytes from another place: where they were taken from goes with their signature', async t => {
  const world = await setUp(t, policy([{ pattern: '**/signed', mode: 'require', authorities: ['release'] }]));
  await world.push('auth:1', 'one');
  await world.apply({});
  await world.reach('ready');
  const { manifestDigest } = await world.push('signed:1', 'one');
  await pushSimpleSigning(world.host, 'signed', manifestDigest, release);
  await world.apply({ url: `${world.host}/signed:1` });
  assert.equal((await world.reach('ready')).revision, 1);
  await world.see(1, 'verified');
  const asked = world.registry.requests.length;
  await world.restart(policy([{ pattern: '**/signed', mode: 'require', authorities: ['release'] }]));
  await world.apply({ url: `${world.host}/signed:1`, priority: 1 });
  await world.reach('ready');
  assert.equal((await world.signatureOf(1))?.state, 'verified');
  assert.equal(world.registry.requests.length, asked);
});

test('files carry no signature: where one is required they are refused, pinned or not, and not even read', async t => {
  const world = await setUp(t, policy([{ pattern: 'file://**', mode: 'require', authorities: ['release'] }]));
  const bytes = makeModule('file');
  await writeFile(join(world.directory, 'auth.wasm'), bytes);
  await world.apply({ url: `file://${world.directory}/./auth.wasm`, sha256: 'a'.repeat(64) });
  const { message, hint } = await world.reach('failed', 'signature-missing');
  assert.match(message ?? '', /only oci:/);
  assert.match(hint ?? '', /A sha256 is no signature/);
});

test('a plan says what the module stage would say', async t => {
  const world = await setUp(t);
  const { manifestDigest } = await world.push('auth:1', 'one');
  const before = await world.plan(everywhere('require'), {});
  assert.equal(before.kind === 'problem' && before.problem.code, 'signature-missing');
  await pushBundle(world.host, 'auth', manifestDigest, release);
  const after = await world.plan(everywhere('require'), {});
  assert.equal(after.kind === 'revision' && after.revision.module.signature?.state, 'verified');
  assert.equal((await world.store.list('Revision', PLUGIN)).records.length, 0);
});
