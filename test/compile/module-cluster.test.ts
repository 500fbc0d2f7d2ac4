import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeModuleCluster, type ModuleAddress } from '../../src/compile/module-cluster.ts';
import { CLUSTER_TYPE } from '../../src/model/type-url.ts';
import { registry } from './compile-samples.ts';

const CONTEXT = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext';

/** What Envoy reads in it; its bytes are those that the registry makes of that, so that a version stays what it was. */
function read(modules: ModuleAddress) {
  const bytes = encodeModuleCluster(modules);
  const json = registry.decodeAny(bytes);
  assert.deepEqual(Buffer.from(bytes), Buffer.from(registry.encodeAny(json)));
  return json;
}

/** The same of any address, over plain text. */
const rest = (host: string) => ({
  '@type': CLUSTER_TYPE,
  name: 'attache_modules',
  connectTimeout: '5s',
  loadAssignment: {
    clusterName: 'attache_modules',
    endpoints: [
      { lbEndpoints: [{ endpoint: { address: { socketAddress: { address: host, portValue: 18001 } } } }] },
    ],
  },
});

const secretsOf = (host: string, type: string) => ({
  combinedValidationContext: {
    defaultValidationContext: {
      matchTypedSubjectAltNames: [{ sanType: type, matcher: { exact: host } }],
    },
    validationContextSdsSecretConfig: { name: 'attache_ca' },
  },
});

test('an address is STATIC, a name is resolved', () => {
  for (const host of ['127.0.0.1', '::1'])
    assert.deepEqual(read({ host, port: 18001, speaks: 'plain' }), { ...rest(host), type: 'STATIC' });
  const host = 'attache.example';
  assert.deepEqual(read({ host, port: 18001, speaks: 'plain' }), {
    ...rest(host),
    type: 'STRICT_DNS',
    dnsLookupFamily: 'V4_PREFERRED',
  });
});

test('over TLS it names secrets of the bootstrap, and checks whose certificate it is', () => {
  const name = 'attache.example';
  assert.deepEqual(read({ host: name, port: 18001, speaks: 'tls' }).transportSocket, {
    name: 'envoy.transport_sockets.tls',
    typedConfig: { '@type': CONTEXT, commonTlsContext: secretsOf(name, 'DNS'), sni: name },
  });
  const address = '10.0.0.1';
  assert.deepEqual(read({ host: address, port: 18001, speaks: 'mtls' }).transportSocket, {
    name: 'envoy.transport_sockets.tls',
    typedConfig: {
      '@type': CONTEXT,
      commonTlsContext: {
        tlsCertificateSdsSecretConfigs: [{ name: 'attache_node' }],
        ...secretsOf(address, 'IP_ADDRESS'),
      },
    },
  });
});
