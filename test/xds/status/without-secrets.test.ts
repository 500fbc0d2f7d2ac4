import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeShowResource } from '../../../src/compile/show-resource.ts';
import type { ResourceConfig } from '../../../src/model/node-config.ts';
import type { JsonObject } from '../../../src/model/plugin-spec.ts';
import { LISTENER_TYPE } from '../../../src/model/type-url.ts';
import { withoutSecretConfigs } from '../../../src/xds/status/without-secrets.ts';
import { makeListener, makeNode, registry } from '../../compile/compile-samples.ts';

const TLS = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext';

function configOf(name: string, config: Uint8Array | null): ResourceConfig {
  return {
    typeUrl: LISTENER_TYPE,
    name,
    status: 'SYNCED',
    asked: true,
    wantedVersion: '1',
    sentVersion: '1',
    ackedVersion: '1',
    at: 1,
    refused: null,
    config,
  };
}

test('a resource with a secret inside is told of without its bytes, others as they are', () => {
  const encode = (resource: JsonObject) => registry.encodeAny(resource);
  const common_tls_context = { tls_certificates: [{ private_key: { inline_string: 'S3CRET' } }] };
  const socket = { name: 'tls', typed_config: { '@type': TLS, common_tls_context } };
  const resources = [
    configOf('plain', encode(makeListener())),
    configOf('tls', encode(makeListener({ rest: { filter_chains: [{ transport_socket: socket }] } }))),
    configOf('none', null),
    configOf('unreadable', Buffer.from([10, 3, 97, 47, 98])),
  ];
  const node = makeNode();
  const nodes = { nodes: () => [node], read: (id: string) => (id === 'a' ? { node, resources } : undefined) };
  const configs = withoutSecretConfigs(nodes, makeShowResource(registry));
  assert.deepEqual(
    configs.read('a')?.resources.map(({ name, config }) => [name, config !== null]),
    [
      ['plain', true],
      ['tls', false],
      ['none', false],
      ['unreadable', false],
    ],
  );
  assert.equal(configs.read('b'), undefined);
  assert.deepEqual(configs.nodes(), [node]);
});
