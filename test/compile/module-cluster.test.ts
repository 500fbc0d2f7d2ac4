import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildModuleCluster } from '../../src/compile/module-cluster.ts';
import { registry } from './compile-samples.ts';

test('an address is STATIC, a name is resolved', () => {
  const typeOf = (host: string) => {
    const cluster = buildModuleCluster({ host, port: 18001 });
    registry.encodeAny(cluster);
    return cluster.type;
  };
  assert.equal(typeOf('127.0.0.1'), 'STATIC');
  assert.equal(typeOf('::1'), 'STATIC');
  assert.equal(typeOf('attache.example'), 'STRICT_DNS');
});
