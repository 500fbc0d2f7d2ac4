import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseDocument } from '../../src/model/document.ts';
import { parsePullSecretDocument } from '../../src/model/pull-secret-document.ts';

const coded = (text: string) => Buffer.from(text).toString('base64');
const auths = { 'reg.example': { auth: coded('ann:hunter2') } };
const metadata = { name: 'regcred' };

/** As `kubectl create secret docker-registry … -o yaml` prints it. */
const secret = (content: object, type = 'kubernetes.io/dockerconfigjson') => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { ...metadata, creationTimestamp: null },
  type,
  ...content,
});
const ours = (dockerConfig: unknown) => ({
  apiVersion: 'attache/v1',
  kind: 'PullSecret',
  metadata,
  dockerConfig,
});

test('a Kubernetes Secret and a PullSecret say the same', () => {
  const expected = { namespace: 'default', name: 'regcred', config: { auths } };
  const json = JSON.stringify({ auths });
  for (const document of [
    secret({ data: { '.dockerconfigjson': coded(json) } }),
    secret({ stringData: { '.dockerconfigjson': json } }),
    ours({ auths }),
  ]) {
    assert.deepEqual(parsePullSecretDocument(document), expected);
    const parsed = parseDocument(document);
    assert.ok(!Array.isArray(parsed) && parsed.kind === 'pullsecret');
  }
});

test('user name and password, and tokens, are credentials; what else docker writes is taken', () => {
  const entries = {
    'a.example': { username: 'ann', password: 'p', email: 'ann@example', auth: coded('ann:p') },
    'b.example/team': { identitytoken: 'refresh' },
  };
  const parsed = parsePullSecretDocument(ours({ auths: entries, HttpHeaders: {} }));
  assert.ok(!Array.isArray(parsed));
  assert.deepEqual(Object.keys(parsed.config.auths), ['a.example', 'b.example/team']);
});

const cases: readonly [string, unknown, string][] = [
  ['another type of secret', secret({ data: {} }, 'Opaque'), 'not-supported /type'],
  ['no content', secret({}), 'missing-field /data/.dockerconfigjson'],
  ['another entry', secret({ data: { password: 'hunter2' } }), 'unknown-field /data/password'],
  ['no base64', secret({ data: { '.dockerconfigjson': '{hunter2' } }), 'wrong-type /data/.dockerconfigjson'],
  [
    'no JSON',
    secret({ data: { '.dockerconfigjson': coded('hunter2') } }),
    'wrong-type /data/.dockerconfigjson',
  ],
  ['null', secret({ data: { '.dockerconfigjson': coded('null') } }), 'wrong-type /data/.dockerconfigjson'],
  ['a number for a config', ours(4711), 'wrong-type /dockerConfig'],
  ['no auths', ours({}), 'missing-field /dockerConfig/auths'],
  ['no registry', ours({ auths: {} }), 'out-of-bounds /dockerConfig/auths'],
  ['an entry without a credential', ours({ auths: { a: {} } }), 'missing-field /dockerConfig/auths/a'],
  [
    'auth without a colon',
    ours({ auths: { a: { auth: coded('hunter2') } } }),
    'missing-field /dockerConfig/auths/a',
  ],
  [
    'a password that YAML took for a number',
    ours({ auths: { a: { username: 'ann', password: 4711 } } }),
    'wrong-type /dockerConfig/auths/a/password',
  ],
  ['a program', ours({ auths, credsStore: 'desktop' }), 'not-supported /dockerConfig/credsStore'],
  [
    'an unknown field',
    ours({ auths: { a: { auth: coded('a:b'), pasword: 'hunter2' } } }),
    'unknown-field /dockerConfig/auths/a/pasword',
  ],
  ['no name', { ...ours({ auths }), metadata: {} }, 'missing-field /metadata/name'],
  ['another API version', { ...ours({ auths }), apiVersion: 'v2' }, 'unknown-kind /apiVersion'],
];
for (const [what, document, expected] of cases)
  test(`refused: ${what}`, () => {
    const faults = parsePullSecretDocument(document);
    assert.ok(Array.isArray(faults) && faults.length > 0);
    assert.ok(
      faults.map(({ code, pointer }) => `${code} ${pointer}`).includes(expected),
      JSON.stringify(faults),
    );
    assert.doesNotMatch(JSON.stringify(faults), /hunter2|4711/, 'no value of the document is said');
  });

test('whatever stands in the place of a secret, no fault repeats it', () => {
  const marker = 'S3CR3T';
  const leaf = fc.oneof(
    fc.constant(marker),
    fc.constant([marker]),
    fc.integer(),
    fc.constant(null),
    fc.boolean(),
  );
  const entry = fc.dictionary(fc.constantFrom('auth', 'username', 'password', 'identitytoken', 'x'), leaf);
  const config = fc.oneof(
    leaf,
    fc.record({
      auths: fc.oneof(leaf, fc.dictionary(fc.constantFrom('a.example', ''), fc.oneof(leaf, entry))),
    }),
  );
  fc.assert(
    fc.property(config, fc.boolean(), (value, inSecret) => {
      const json = JSON.stringify(value);
      const document = inSecret ? secret({ stringData: { '.dockerconfigjson': json } }) : ours(value);
      const parsed = parsePullSecretDocument(document);
      if (Array.isArray(parsed)) assert.doesNotMatch(JSON.stringify(parsed), new RegExp(marker));
    }),
  );
});
