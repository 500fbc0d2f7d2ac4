import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Fault } from '../../src/model/error.ts';
import { parseTransport, type TransportTexts } from '../../src/model/transport-settings.ts';

const NOTHING: TransportTexts = {
  cert: undefined,
  key: undefined,
  clientCas: [],
  nodeAuth: undefined,
  nodeClaims: undefined,
  nodeIdentity: undefined,
  plain: [],
  isExposed: false,
};
const TLS = { cert: '/cert', key: '/key' };
const MTLS = { ...TLS, clientCas: ['/ca'], nodeAuth: 'mtls' };

function parse(texts: Partial<TransportTexts>) {
  const faults: Fault[] = [];
  const settings = parseTransport({ ...NOTHING, ...texts }, faults);
  return { settings, pointers: faults.map(fault => fault.pointer) };
}

test('nothing asked for is plain text and anybody, whose word counts', () => {
  const { settings, pointers } = parse({});
  assert.deepEqual(settings, {
    tls: undefined,
    nodeAuth: 'none',
    nodeClaims: 'kept',
    nodeIdentity: undefined,
  });
  assert.deepEqual(pointers, []);
});

test('where nodes prove who they are, the rest of what they say does not count unless it is asked for', () => {
  assert.equal(parse(MTLS).settings.nodeClaims, 'ignored');
  assert.equal(parse({ nodeAuth: 'token' }).settings.nodeClaims, 'ignored');
  assert.equal(parse({ ...MTLS, nodeClaims: 'kept' }).settings.nodeClaims, 'kept');
  assert.equal(parse({ nodeClaims: 'ignored' }).settings.nodeClaims, 'ignored');
});

test('what cannot work is refused', () => {
  const cases: readonly [Partial<TransportTexts>, readonly string[]][] = [
    [{ cert: '/cert' }, ['/tls-cert']],
    [{ key: '/key' }, ['/tls-key']],
    [{ ...TLS, nodeAuth: 'mtls' }, ['/node-auth']],
    [{ clientCas: ['/ca'], nodeAuth: 'mtls' }, ['/node-auth']],
    [{ ...MTLS, plain: ['modules'] }, ['/allow-plaintext']],
    [{ ...TLS, clientCas: ['/ca'] }, ['/client-ca']],
    [{ ...TLS, nodeAuth: 'token', nodeIdentity: '{id}' }, ['/node-identity']],
    [{ ...MTLS, nodeIdentity: 'edge' }, ['/node-identity']],
    [{ ...MTLS, nodeIdentity: '{id}/{id}' }, ['/node-identity']],
    [{ nodeAuth: 'yes' }, ['/node-auth']],
    [{ nodeClaims: 'no' }, ['/node-claims']],
    [{ ...TLS, isExposed: true }, ['/node-auth']],
  ];
  for (const [texts, pointers] of cases)
    assert.deepEqual(parse(texts).pointers, pointers, JSON.stringify(texts));
  assert.deepEqual(parse({ ...TLS, isExposed: true, nodeAuth: 'none' }).pointers, [], 'asked for by name');
  assert.deepEqual(parse({ ...TLS, isExposed: true, plain: ['xds'] }).pointers, [], 'allowed by name');
});
