import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildModuleCluster } from '../../src/compile/module-cluster.ts';
import { registry } from './compile-samples.ts';

test('an address is STATIC, a name is resolved', () => {
  const typeOf = (host: string) => {
    const cluster = buildModuleCluster({ host, port: 18001, speaks: 'plain' });
    registry.encodeAny(cluster);
    return cluster.type;
  };
  assert.equal(typeOf('127.0.0.1'), 'STATIC');
  assert.equal(typeOf('::1'), 'STATIC');
  assert.equal(typeOf('attache.example'), 'STRICT_DNS');
});

test('over TLS it names secrets of the bootstrap, and checks whose certificate it is', () => {
  const socketOf = (host: string, speaks: 'plain' | 'tls' | 'mtls') => {
    const cluster = buildModuleCluster({ host, port: 18001, speaks });
    registry.encodeAny(cluster);
    return JSON.stringify(cluster.transport_socket);
  };
  assert.equal(socketOf('127.0.0.1', 'plain'), undefined);
  assert.match(
    socketOf('attache.example', 'tls'),
    /"sni":"attache.example".*"DNS".*"exact":"attache.example".*attache_ca/,
  );
  assert.doesNotMatch(socketOf('attache.example', 'tls'), /attache_node/);
  assert.doesNotMatch(socketOf('10.0.0.1', 'mtls'), /sni/);
  assert.match(socketOf('10.0.0.1', 'mtls'), /attache_node.*"IP_ADDRESS".*"exact":"10.0.0.1"/);
});
