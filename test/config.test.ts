import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import {
  advertisedHost,
  asksTokens,
  ConfigError,
  type ConfigFlags,
  formatAddress,
  parseAddress,
  readConfig,
  speaksTls,
} from '../src/config.ts';
import { DEFAULT_XDS_LIMITS } from '../src/model/xds-limits.ts';
import { SETTINGS } from '../src/settings.ts';

const folder = mkdtempSync(join(tmpdir(), 'attache-config-'));
after(() => rmSync(folder, { recursive: true }));

function writeYaml(text: string): string {
  const path = join(folder, `${Math.random().toString(36).slice(2)}.yaml`);
  writeFileSync(path, text);
  return path;
}

function faultsOf(read: () => unknown): readonly string[] {
  try {
    read();
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    assert.equal(error.code, 'bad-config');
    return error.faults.map(fault => fault.message);
  }
  return assert.fail('no fault');
}

test('the defaults are loopback, in ./attache-data', () => {
  const config = readConfig({}, { HOME: '/home/ada' });
  assert.deepEqual(config, {
    dataDirectory: resolve('attache-data'),
    xdsListen: { host: '127.0.0.1', port: 18000 },
    modulesListen: { host: '127.0.0.1', port: 18001 },
    apiListen: { host: '127.0.0.1', port: 18002 },
    metricsListen: undefined,
    advertiseHost: undefined,
    apiAuth: 'loopback',
    publicUrl: undefined,
    requireIfMatch: false,
    allowPlaintext: [],
    tls: undefined,
    nodeAuth: 'none',
    nodeClaims: 'kept',
    nodeIdentity: undefined,
    insecureRegistries: [],
    registries: [],
    rootNamespace: 'istio-system',
    dockerConfigPath: '/home/ada/.docker/config.json',
    moduleDirectory: undefined,
    moduleQuotaBytes: 10_000_000_000,
    publishTokenPath: undefined,
    allowPrivateHosts: [],
    tagIntervalMs: 600_000,
    secretKeyPath: resolve('attache-data/secret-key'),
    signatures: { authorities: [], rules: [] },
    protosets: [],
    allowNodeAdmin: [],
    nodeLogDirectory: undefined,
    xdsLimits: DEFAULT_XDS_LIMITS,
    logLevel: 'info',
  });
  assert.ok(Object.isFrozen(config));
});

test('a flag wins over the environment, which wins over the file', () => {
  const config = writeYaml('root-namespace: file\nlog-level: warn\ndata: /file\n');
  const env = { ATTACHE_CONFIG: config, ATTACHE_ROOT_NAMESPACE: 'env', ATTACHE_DATA: '/env' };
  const read = readConfig({ data: '/flag' }, env);
  assert.equal(read.dataDirectory, '/flag');
  assert.equal(read.rootNamespace, 'env');
  assert.equal(read.logLevel, 'warn');
});

test('a list comes from repeated flags, from commas and from YAML lists', () => {
  const config = writeYaml('allow-private-host: [a.example, b.example]\n');
  const flags = { config, 'insecure-registry': ['one:5000', 'two:5000,three:5000'] };
  const read = readConfig(flags, { ATTACHE_ALLOW_PLAINTEXT: 'xds, api' });
  assert.deepEqual(read.insecureRegistries, ['one:5000', 'two:5000', 'three:5000']);
  assert.deepEqual(read.allowPlaintext, ['xds', 'api']);
  assert.deepEqual(read.allowPrivateHosts, ['a.example', 'b.example']);
});

test('all faults of all sources are reported together', () => {
  const config = writeYaml('colour: red\nlog-level: {a: b}\n');
  const flags = { config, 'xds-listen': '18000', 'allow-plaintext': ['api', 'everything'] };
  const faults = faultsOf(() => readConfig(flags, { ATTACHE_API_LISTEN: '127.0.0.1:99999' }));
  assert.equal(faults.length, 6);
  for (const part of [
    'colour',
    'log-level: expected a text',
    '--xds-listen 18000',
    '127.0.0.1:99999',
    'everything',
  ])
    assert.ok(
      faults.some(fault => fault.includes(part)),
      part,
    );
});

test('registries stand in the file or in one of their own; every fault has its place', () => {
  const text =
    '- {prefix: reg.example, mirrors: [m.example:5000/x]}\n- {prefix: m.example:5000, insecure: true}\n';
  const expected = [
    { prefix: 'reg.example', mirrors: ['m.example:5000/x'], insecure: false },
    { prefix: 'm.example:5000', mirrors: [], insecure: true },
  ];
  const inside = writeYaml(`registries:\n${text.replace(/^/gm, '  ').trimEnd()}\n`);
  assert.deepEqual(readConfig({ config: inside }, {}).registries, expected);
  const own = writeYaml(text);
  assert.deepEqual(readConfig({ registries: own }, {}).registries, expected);
  const broken = writeYaml('registries: [{prefix: reg.example/team, insecure: true}]\n');
  assert.match(
    faultsOf(() => readConfig({ config: broken }, {})).join(),
    /registries: \/0\/insecure: .*whole host/,
  );
});

test('the interval of tags is a duration, or off; the key of secrets lies where it is told to', () => {
  const read = (value: string) => readConfig({ 'tag-interval': value }, {}).tagIntervalMs;
  assert.deepEqual([read('30s'), read('1h'), read('off')], [30_000, 3_600_000, undefined]);
  for (const value of ['10', '500ms', 'never'])
    assert.match(faultsOf(() => read(value)).join(), /--tag-interval .*10m, or off/);
  assert.equal(readConfig({ data: '/data' }, {}).secretKeyPath, '/data/secret-key');
  assert.equal(readConfig({ data: '/data', 'secret-key': '/run/key' }, {}).secretKeyPath, '/run/key');
});

test('plain text off loopback is refused with the flag that would allow it', () => {
  const [fault] = faultsOf(() => readConfig({ 'modules-listen': '10.0.0.1:18001' }, {}));
  assert.match(fault ?? '', /--allow-plaintext modules/);
  const allowed = readConfig({ 'modules-listen': '10.0.0.1:18001', 'allow-plaintext': 'modules' }, {});
  assert.equal(allowed.modulesListen.host, '10.0.0.1');
});

test('with a certificate every port speaks TLS that is not named, and may be off loopback', () => {
  const tls = {
    'tls-cert': 'server.pem',
    'tls-key': 'key.pem',
    'client-ca': ['a.pem', 'b.pem'],
    'node-auth': 'mtls',
  };
  const config = readConfig({ ...tls, 'xds-listen': '10.0.0.1:18000', 'allow-plaintext': 'api' }, {});
  assert.deepEqual(config.tls, {
    cert: resolve('server.pem'),
    key: resolve('key.pem'),
    clientCas: [resolve('a.pem'), resolve('b.pem')],
  });
  const speaking = (['xds', 'modules', 'api'] as const).map(port => speaksTls(config, port));
  assert.deepEqual([config.nodeAuth, config.nodeClaims, speaking], ['mtls', 'ignored', [true, true, false]]);
  const { 'client-ca': _, ...without } = tls;
  assert.match(faultsOf(() => readConfig(without, {})).join(), /--client-ca/);
});

test('a wildcard address needs the host that Envoys use', () => {
  for (const host of ['0.0.0.0', '[::]']) {
    const flags = { 'xds-listen': `${host}:18000`, 'allow-plaintext': 'xds' };
    assert.match(faultsOf(() => readConfig(flags, {})).join(), /--advertise HOST/);
    const config = readConfig({ ...flags, advertise: 'attache.example' }, {});
    assert.equal(advertisedHost(config, config.xdsListen), 'attache.example');
  }
  const plain = readConfig({}, {});
  assert.equal(advertisedHost(plain, plain.modulesListen), '127.0.0.1');
});

test('what Envoys are told is a host that they can use: no wildcard, URL or port', () => {
  for (const host of ['0.0.0.0', '::', 'http://attache.example', 'attache.example:18000', '[::1]', 'a b'])
    assert.match(faultsOf(() => readConfig({ advertise: host }, {})).join(), /--advertise .*expected/, host);
  for (const host of ['attache', 'attache_1.example.', '10.0.0.7', '2001:db8::7'])
    assert.equal(readConfig({ advertise: host }, {}).advertiseHost, host);
});

test('an empty variable says nothing, of the file as of every setting', () => {
  const config = readConfig({}, { ATTACHE_CONFIG: '', ATTACHE_LOG_LEVEL: '' });
  assert.equal(config.logLevel, 'info');
});

test('a file that was named must exist; ./attache.yaml need not', () => {
  assert.equal(faultsOf(() => readConfig({ config: join(folder, 'absent.yaml') }, {})).length, 1);
  assert.equal(faultsOf(() => readConfig({ config: writeYaml('[1, 2]') }, {})).length, 1);
  assert.equal(faultsOf(() => readConfig({ config: writeYaml('a: [') }, {})).length, 1);
  assert.ok(readConfig({ config: writeYaml('') }, {}));
});

test('every address that is formatted is parsed back', () => {
  const host = fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6());
  fc.assert(
    fc.property(host, fc.nat(65535), (host, port) => {
      assert.deepEqual(parseAddress(formatAddress({ host, port })), { host, port });
    }),
  );
  for (const text of ['', 'host', ':1', 'host:', 'host:65536', 'host:1x', 'a b:1', '::1:1', '[::1]'])
    assert.equal(parseAddress(text), undefined, text);
});

test('every setting has one row, with a word for its value', () => {
  assert.equal(new Set(SETTINGS.map(setting => setting.name)).size, SETTINGS.length);
  for (const setting of SETTINGS) assert.match(setting.value, /^[A-Z:]+$/);
});

test('signatures: in the file itself, or in one that a flag names; every fault is told with its place', () => {
  const { publicKey } = generateKeyPairSync('ed25519');
  const pem = publicKey.export({ format: 'pem', type: 'spki' }).toString();
  const key = join(folder, 'release.pub');
  writeFileSync(key, pem);
  const text = `authorities: [{name: release, keys: [${key}]}]
rules: [{pattern: r.example/**, mode: require, authorities: [release]}]`;
  const indented = text.replace(/^/gm, '  ');
  const inline = readConfig({ config: writeYaml(`signatures:\n${indented}\n`) }, {});
  assert.equal(inline.signatures.rules[0]?.keys[0]?.authority, 'release');
  assert.deepEqual(readConfig({ signatures: writeYaml(text) }, {}).signatures, inline.signatures);
  assert.deepEqual(readConfig({}, { ATTACHE_SIGNATURES: writeYaml(text) }).signatures, inline.signatures);

  const keyless = writeYaml('signatures: {authorities: [{name: a, kind: keyless}], rules: [{mode: on}]}\n');
  const faults = faultsOf(() => readConfig({ config: keyless }, {}));
  assert.equal(faults.length, 4);
  assert.match(
    faults[0] ?? '',
    /^signatures: \/authorities\/0\/kind: keyless signatures are not verified yet/,
  );
  assert.match(faultsOf(() => readConfig({ signatures: '/nowhere.yaml' }, {}))[0] ?? '', /nowhere/);
  assert.equal(faultsOf(() => readConfig({ signatures: writeYaml('- 1') }, {})).length, 1);
});

test('the quota of modules is a size', () => {
  const quotaOf = (text: string) => readConfig({ 'module-quota': text }, {}).moduleQuotaBytes;
  assert.deepEqual(['512MB', '2 GiB', '100000000', '1.5gb'].map(quotaOf), [512e6, 2 ** 31, 1e8, 1.5e9]);
  for (const text of ['99MB', '10', 'all', '-1GB', '1 GB 2', '9e9GB'])
    assert.throws(() => quotaOf(text), { code: 'bad-config', message: /--module-quota .*e\.g\. 10GB/ });
});

test('a publish token that cannot be read, or is short, is refused at the start', () => {
  const read = (path: string) => () => readConfig({ 'publish-token': path }, {});
  assert.throws(read('/nowhere/token'), {
    code: 'bad-config',
    message: /--publish-token \/nowhere\/token: ENOENT/,
  });
  assert.throws(read('/dev/null'), { code: 'bad-config', message: /one word of at least 16 characters/ });
});

test('tokens are asked for where others than this machine reach the API, and where that is wanted', () => {
  const asks = (flags: ConfigFlags): boolean => asksTokens(readConfig(flags, {}));
  const off = { 'api-listen': '10.0.0.1:18002', 'allow-plaintext': 'api' };
  assert.equal(asks({}), false);
  assert.equal(asks({ 'api-auth': 'token' }), true);
  assert.equal(asks(off), true);
  assert.equal(asks({ ...off, 'api-auth': 'loopback' }), true);
  const [fault = ''] = faultsOf(() => readConfig({ 'api-auth': 'none' }, {}));
  assert.match(fault, /expected one of loopback, token/);
});

test('public-url is a URL without a query; a slash at its end is left out', () => {
  assert.equal(
    readConfig({ 'public-url': 'https://attache.internal/a/' }, {}).publicUrl,
    'https://attache.internal/a',
  );
  for (const url of [
    'attache.internal',
    'ftp://attache.internal',
    'https://attache.internal/?a',
    'https://a/#b',
  ])
    assert.throws(
      () => readConfig({ 'public-url': url }, {}),
      error => error instanceof ConfigError && error.faults[0]?.pointer === '/public-url',
    );
});
