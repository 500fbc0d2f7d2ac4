import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type EnvoyNeeds, type ProofOptions, resolveProof } from '../../src/cli/resolve-proof.ts';

const FILES = { tlsCa: '/ca', tlsCert: '/cert', tlsKey: '/key' };
const askToken = async () => 'atn_asked';
const resolve = (options: ProofOptions, needs?: EnvoyNeeds) => resolveProof(options, needs, askToken);

test('what the server needs is asked for by its flag', async () => {
  const both = ['xds', 'modules'] as const;
  const cases: readonly [ProofOptions, EnvoyNeeds | undefined, RegExp][] = [
    [{}, { tls: both, nodeAuth: 'none' }, /--tls-ca/],
    [{ tlsCa: '/ca' }, { tls: both, nodeAuth: 'mtls' }, /--tls-cert/],
    [{ tlsCa: '/ca', tlsCert: '/cert' }, undefined, /belong together/],
    [{ tlsCert: '/cert', tlsKey: '/key' }, undefined, /--tls-ca/],
  ];
  for (const [options, needs, text] of cases)
    await assert.rejects(resolve(options, needs), { code: 'bad-usage', message: text });
});

test('it is TLS on the ports that speak it, or on both where nobody could be asked', async () => {
  const own = { cert: '/cert', key: '/key' };
  assert.deepEqual(await resolve(FILES, { tls: ['xds'], nodeAuth: 'none' }), {
    tls: { ports: ['xds'], ca: '/ca', own },
    token: undefined,
  });
  assert.deepEqual((await resolve(FILES)).tls?.ports, ['xds', 'modules']);
  assert.deepEqual(await resolve({}, { tls: [], nodeAuth: 'none' }), { tls: undefined, token: undefined });
});

test('a token that was not given is asked for, where the server takes tokens', async () => {
  assert.equal((await resolve({}, { tls: [], nodeAuth: 'token' })).token, 'atn_asked');
  assert.equal((await resolve({ nodeToken: 'atn_x' }, { tls: [], nodeAuth: 'token' })).token, 'atn_x');
  assert.equal((await resolve({}, undefined)).token, undefined);
});
