import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createModuleSource } from '../../src/module/fetch-module.ts';
import { ModuleError } from '../../src/module/module-error.ts';
import { pushModule } from '../../src/module/push-module.ts';
import { stopAfter } from '../harness/cleanup.ts';
import { makeCache, makeModule, sourceOptions } from '../module/actors.ts';
import { pushBundle, pushIndex, pushSimpleSigning } from '../module/signature/push-signature.ts';
import { makeSigner } from '../module/signature/signing.ts';
import { CosignDesk, listCosigns, signingModes } from './cosign.ts';
import { REGISTRIES } from './tools.ts';

const never = new AbortController().signal;
async function push(host: string, name: string): Promise<string> {
  const reference = `${host}/${name}`;
  const bytes = makeModule(name);
  const request = { bytes, reference, insecureRegistries: [], dockerConfigPath: undefined };
  return (await pushModule(request)).manifestDigest;
}

async function pull(t: TestContext, host: string, name: string, verificationKey: string) {
  const source = createModuleSource(await makeCache(t), sourceOptions([host]));
  stopAfter(t, { stop: () => source.close() });
  return source.fetch({ url: `oci://${host}/${name}`, verificationKey }, never);
}

const isRefused = (code: string) => (error: unknown) => error instanceof ModuleError && error.code === code;

for (const [name, start] of Object.entries(REGISTRIES))
  test(`${name}: signatures are found by tag and as referrers, of a manifest and of an index`, async t => {
    const registry = await start(t);
    if (registry === undefined) return;
    const { host } = registry;
    const [signer, other] = [makeSigner('p384'), makeSigner('rsa')];
    for (const [repository, sign] of [
      ['tag', pushSimpleSigning],
      ['referrer', pushBundle],
    ] as const) {
      const digest = await push(host, `${repository}:1`);
      await assert.rejects(pull(t, host, `${repository}:1`, signer.pem), isRefused('signature-missing'));
      await sign(host, repository, digest, signer);
      const pulled = await pull(t, host, `${repository}:1`, signer.pem);
      assert.deepEqual(
        pulled.signature?.by.map(({ signed }) => signed),
        ['manifest'],
      );
      await assert.rejects(pull(t, host, `${repository}:1`, other.pem), isRefused('signature-invalid'));
      const index = await pushIndex(host, repository, digest, 'index');
      await sign(host, repository, index, other);
      const ofIndex = await pull(t, host, `${repository}:index`, other.pem);
      assert.deepEqual(
        ofIndex.signature?.by.map(({ signed, digest }) => [signed, digest]),
        [['index', index]],
      );
      const ofChild = await pull(t, host, `${repository}:index`, signer.pem);
      assert.deepEqual(
        ofChild.signature?.by.map(({ signed }) => signed),
        ['manifest'],
      );
    }
  });

for (const { version, find } of listCosigns())
  for (const [name, start] of Object.entries(REGISTRIES))
    for (const mode of signingModes({ version }))
      test(`cosign ${version}, ${mode.name}, ${name}: what it signs is verified, with its key alone`, async t => {
        const cosign = await find(t);
        const registry = cosign && (await start(t));
        if (cosign === undefined || registry === undefined) return;
        const { host } = registry;
        const desk = await CosignDesk.open(t, cosign);
        for (const key of ['release', 'other']) await desk.generateKey(key);
        const [release, other] = await Promise.all(
          ['release', 'other'].map(key => readFile(join(desk.directory, `${key}.pub`), 'utf8')),
        );
        const digest = await push(host, 'auth:1');
        await desk.sign('release', `${host}/auth@${digest}`, mode);
        const pulled = await pull(t, host, 'auth:1', release ?? '');
        assert.equal(pulled.signature?.state, 'verified');
        assert.equal(pulled.signature?.by[0]?.format, mode.name === 'bundle' ? 'bundle' : 'simple-signing');
        await assert.rejects(pull(t, host, 'auth:1', other ?? ''), isRefused('signature-invalid'));
        await desk.verify('release', `${host}/auth:1`, mode);
        await assert.rejects(desk.verify('other', `${host}/auth:1`, mode));
        await desk.sign('other', `${host}/auth@${digest}`, mode);
        assert.equal((await pull(t, host, 'auth:1', other ?? '')).signature?.state, 'verified');
        assert.equal((await pull(t, host, 'auth:1', release ?? '')).signature?.state, 'verified');
        const second = await push(host, 'auth:2');
        assert.notEqual(second, digest);
        await assert.rejects(pull(t, host, 'auth:2', release ?? ''), isRefused('signature-missing'));
      });
