/** A look at the signature of a revision takes as long as its registry: what is written meanwhile is newer. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ModuleSignature } from '../../src/model/module-signature.ts';
import type { ModuleFacts } from '../../src/model/revision.ts';
import { ModuleError } from '../../src/module/module-error.ts';
import { ModuleRecord } from '../../src/module/module-record.ts';
import { recheckSignatures } from '../../src/module/signature/recheck-signatures.ts';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import { revisionKey } from '../../src/store/record-kinds.ts';
import { makeSpec, PLUGIN } from '../model/records.ts';
import { random, systemClock } from './actors.ts';

const never = new AbortController().signal;
const signature = (state: ModuleSignature['state']): ModuleSignature => ({
  ...{ state, by: [], refused: state !== 'verified', policy: 'p', checkedAt: 1 },
});
const unsigned: ModuleFacts = {
  ...{ sha256: 'a'.repeat(64), sizeBytes: 1, url: 'oci://old/auth:1', layout: 'cncf', abi: '0.2.1' },
  importCount: 0,
  signature: signature('unsigned'),
};
const elsewhere: ModuleFacts = { ...unsigned, url: 'oci://new/auth:1', signature: signature('verified') };

/** Revision 1, not signed; and its signature looked for again, while something else happens. */
async function recheck(
  meanwhile: (world: Awaited<ReturnType<typeof setUp>>) => Promise<unknown>,
  found: () => ModuleSignature,
) {
  const world = await setUp();
  const { store, record } = world;
  const { records } = await store.list('Revision');
  const renew = async () => {
    await meanwhile(world);
    return found();
  };
  const ports = { signatures: { renew, isCurrent: () => true }, credentials: undefined, clock: systemClock };
  await recheckSignatures(
    makeSpec(),
    records,
    { ...ports, record: record.recordSignature.bind(record) },
    never,
  );
  return (await store.get('Revision', revisionKey(PLUGIN, 1)))?.value.module;
}

async function setUp() {
  const store = createMemoryStore();
  await store.put('PluginSpec', PLUGIN, makeSpec());
  const spec = await store.get('PluginSpec', PLUGIN);
  assert.ok(spec !== undefined);
  const record = new ModuleRecord({ store, clock: systemClock, random }, PLUGIN, spec);
  assert.equal(await record.recordReady(unsigned), true);
  return { store, record };
}

const outcomes: Readonly<Record<string, () => ModuleSignature>> = {
  'finds no signature': () => signature('failed'),
  'gets no answer': () => {
    throw new ModuleError('registry-unreachable', 'late', { hint: 'Wait.' });
  },
};

test('what a look finds is recorded where nothing came between', async () => {
  const module = await recheck(
    async () => undefined,
    () => signature('verified'),
  );
  assert.deepEqual(module, { ...unsigned, signature: signature('verified') });
});

for (const [how, found] of Object.entries(outcomes)) {
  test(`a look that ${how} leaves alone what was verified elsewhere meanwhile`, async () => {
    const module = await recheck(({ record }) => record.recordReady(elsewhere), found);
    assert.deepEqual(module, elsewhere);
  });

  test(`a look that ${how} leaves alone what was signed in its place meanwhile`, async () => {
    const signed = { ...unsigned, signature: signature('verified') };
    const module = await recheck(({ record }) => record.recordReady(signed), found);
    assert.deepEqual(module, signed);
  });

  test(`a look that ${how} says nothing of a document that is another by then`, async () => {
    const changed = makeSpec({ verificationKey: 'release' });
    const module = await recheck(({ store }) => store.put('PluginSpec', PLUGIN, changed), found);
    assert.deepEqual(module, unsigned);
  });
}
