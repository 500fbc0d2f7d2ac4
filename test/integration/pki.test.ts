import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readCertificateIdentity } from '../../src/model/certificate-identity.ts';
import { run } from '../cli/run-main.ts';

const folder = mkdtempSync(join(tmpdir(), 'attache-pki-'));
after(() => rmSync(folder, { recursive: true }));
const pki = join(folder, 'pki');
const runMain = (...args: readonly string[]) => run(args);
const read = (name: string) => readFileSync(join(pki, name));

test('a CA and what it signs go together, and their keys are for their owner', async () => {
  const made = await runMain('pki', 'init', pki, '--trust-domain', 'example.org');
  assert.equal(made.code, 0, made.err);
  const server = [
    'pki',
    'issue',
    pki,
    '--server',
    'attache.internal',
    '--server',
    '10.0.0.1',
    '--server',
    'fd00::1',
  ];
  const served = await runMain(...server);
  assert.match(
    served.out,
    /--node-auth mtls --client-ca \S+ca\.pem --node-identity 'spiffe:\/\/example\.org\/node\/\{id\}'/,
  );
  const noded = await runMain('pki', 'issue', pki, '--node', 'edge-1', '--days', '7');
  assert.match(noded.out, /attache bootstrap --id edge-1 --tls-ca \S+ --tls-cert \S+ --tls-key \S+/);

  const ca = new X509Certificate(read('ca.pem'));
  assert.ok(ca.ca && ca.verify(ca.publicKey));
  for (const name of ['server', 'edge-1']) {
    const certificate = new X509Certificate(read(`${name}.pem`));
    assert.ok(certificate.checkIssued(ca) && certificate.verify(ca.publicKey) && !certificate.ca, name);
    assert.ok(certificate.checkPrivateKey(createPrivateKey(read(`${name}-key.pem`))));
    assert.equal(statSync(join(pki, `${name}-key.pem`)).mode & 0o777, 0o600);
  }
  assert.equal(statSync(join(pki, 'ca-key.pem')).mode & 0o777, 0o600);

  const own = new X509Certificate(read('server.pem'));
  assert.ok(own.checkHost('attache.internal') && own.checkIP('10.0.0.1') && own.checkIP('fd00::1'));
  assert.equal(own.checkHost('edge-1'), undefined);
  assert.deepEqual(own.keyUsage, ['1.3.6.1.5.5.7.3.1'], 'for servers alone');
  const node = new X509Certificate(read('edge-1.pem'));
  assert.deepEqual(node.keyUsage, ['1.3.6.1.5.5.7.3.2'], 'for clients alone');
  assert.equal(readCertificateIdentity(node.raw).name, 'spiffe://example.org/node/edge-1');
  const days = (node.validToDate.getTime() - node.validFromDate.getTime()) / 86_400_000;
  assert.equal(days, 7);
});

test('nothing is written over unless it is asked for', async () => {
  const [ca, node] = [read('ca-key.pem'), read('edge-1.pem')];
  assert.equal((await runMain('pki', 'init', pki)).code, 1);
  const again = await runMain('pki', 'issue', pki, '--node', 'edge-1');
  assert.equal(again.code, 1);
  assert.match(again.err, /is there already[\s\S]*--replace/);
  assert.deepEqual([read('ca-key.pem'), read('edge-1.pem')], [ca, node]);
  assert.equal((await runMain('pki', 'issue', pki, '--node', 'edge-1', '--replace')).code, 0);
  assert.notDeepEqual(read('edge-1.pem'), node);
});

test('what makes no sense is refused with the way out', async () => {
  const wrong = [
    ['issue', pki],
    ['issue', pki, '--node', 'edge-1', '--server', 'a'],
    ['issue', pki, '--node', '../ca'],
    ['issue', pki, '--node', '..'],
    ['issue', pki, '--node', 'ca'],
    ['issue', pki, '--server', 'not a host'],
    ['issue', pki, '--node', 'edge-2', '--days', '0'],
    ['init', join(folder, 'x'), '--trust-domain', 'Example/org'],
  ];
  for (const args of wrong) assert.equal((await runMain('pki', ...args)).code, 2, args.join(' '));
  const none = await runMain('pki', 'issue', join(folder, 'nowhere'), '--node', 'edge-1');
  assert.deepEqual([none.code, /attache pki init/.test(none.err)], [1, true]);
  const other = join(folder, 'other');
  await runMain('pki', 'init', other);
  writeFileSync(join(other, 'ca-key.pem'), read('ca-key.pem'));
  assert.equal((await runMain('pki', 'issue', other, '--node', 'edge-1')).code, 1, 'a key of another CA');
});
