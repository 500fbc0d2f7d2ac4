import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProtoRegistry } from '../../src/compile/proto-registry.ts';
import { makeShowResource } from '../../src/compile/show-resource.ts';
import type { JsonObject } from '../../src/model/plugin-spec.ts';
import { REDACTED } from '../../src/model/show-resource.ts';

const registry = new ProtoRegistry();
const show = makeShowResource(registry);
const shown = (json: JsonObject) => show(registry.encodeAny(json));

const TLS = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3';
const CLUSTER = 'type.googleapis.com/envoy.config.cluster.v3.Cluster';

test('a resource is shown as JSON with @type, nested types expanded', () => {
  const { json, redacted } = shown({ '@type': CLUSTER, name: 'a', connect_timeout: '1s' });
  assert.deepEqual(json, { '@type': CLUSTER, name: 'a', connectTimeout: '1s' });
  assert.deepEqual(redacted, []);
});

test('private keys and passwords inside a resource are blotted out, and said to be', () => {
  const context = {
    '@type': `${TLS}.UpstreamTlsContext`,
    common_tls_context: {
      tls_certificates: [
        {
          certificate_chain: { inline_string: 'PUBLIC' },
          private_key: { inline_string: 'KEY' },
          password: { inline_string: 'PASS' },
        },
      ],
    },
  };
  const socket = { name: 'tls', typed_config: context };
  const { json, redacted } = shown({ '@type': CLUSTER, name: 'a', transport_socket: socket });
  const text = JSON.stringify(json);
  assert.doesNotMatch(text, /KEY|PASS/);
  assert.match(text, /PUBLIC/);
  const at = '/transportSocket/typedConfig/commonTlsContext/tlsCertificates/0';
  assert.deepEqual([...redacted].sort(), [`${at}/password`, `${at}/privateKey`]);
  assert.ok(text.includes(`"privateKey":"${REDACTED}"`));
});

test('a secret of any kind keeps its name and loses its content', () => {
  const secret = {
    '@type': `${TLS}.Secret`,
    name: 'token',
    generic_secret: { secret: { inline_string: 'S' } },
  };
  assert.deepEqual(shown(secret).json, {
    '@type': `${TLS}.Secret`,
    name: 'token',
    genericSecret: { secret: REDACTED },
  });
});
