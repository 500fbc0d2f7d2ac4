import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkAdminAddress } from '../../../src/xds/access/admin-address.ts';

const origin = (address: string, allowed: readonly string[] = []) =>
  checkAdminAddress(address, allowed).origin;

test('loopback is allowed, in any spelling', () => {
  for (const address of [
    'http://127.0.0.1:9901',
    'http://localhost:9901/',
    'http://[::1]:9901',
    'http://127.1:9901',
  ])
    assert.match(origin(address), /^http:\/\/(127\.0\.0\.1|localhost|\[::1\]):9901$/);
});

test('other addresses only where the settings list them, with their port where one is listed', () => {
  assert.equal(origin('http://10.0.0.5:9901', ['10.0.0.5:9901']), 'http://10.0.0.5:9901');
  assert.equal(origin('http://Edge.Example:9901', ['edge.example']), 'http://edge.example:9901');
  assert.equal(origin('http://edge.example', ['edge.example:80']), 'http://edge.example');
  for (const [address, allowed] of [
    ['http://10.0.0.5:9901', []],
    ['http://10.0.0.5:9902', ['10.0.0.5:9901']],
    ['http://169.254.169.254', []],
    ['http://0.0.0.0:9901', []],
    ['http://[::ffff:127.0.0.1]:9901', []],
    ['http://localhost.example:9901', []],
    ['http://127.0.0.1.example:9901', []],
  ] as const)
    assert.throws(() => origin(address, allowed), { code: 'admin-address-refused' }, address);
});

test('an address is a host and a port, and nothing more', () => {
  for (const address of [
    'https://127.0.0.1:9901',
    'file:///etc/passwd',
    'http://127.0.0.1:9901/quitquitquit',
    'http://127.0.0.1:9901/?x',
    'http://a:b@127.0.0.1:9901',
    '127.0.0.1:9901',
    '',
  ])
    assert.throws(() => origin(address, ['127.0.0.1']), { code: 'admin-address-refused' }, address);
});
