/** Who may be which node on the xDS port: certificates over real TLS, and tokens. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { type TestContext, test } from 'node:test';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { status } from '@grpc/grpc-js';
import type { NodePolicy } from '../../src/model/fleet-records.ts';
import { makeNodeToken } from '../../src/model/node-token.ts';
import { silentLog } from '../../src/model/ports.ts';
import { watchCertificates } from '../../src/tls/watch-certificates.ts';
import { stopAfter } from '../harness/cleanup.ts';
import { DebugClient } from '../harness/debug-client.ts';
import { makePki, readPem, type TestPki, TRUST_DOMAIN } from '../harness/pki.ts';
import { until } from '../harness/wait.ts';
import { FakeClock } from '../store/fake-clock.ts';
import { encodeMetrics } from '../xds/metrics/metrics-writer.ts';
import { accept, CDS, NODE, type SceneOptions, setUp } from './xds-scene.ts';

const LOOK_EVERY_MS = 5_000;
const METRICS = '/envoy.service.metrics.v3.MetricsService/StreamMetrics';

/** The xDS port with mutual TLS. */
async function setUpTls(t: TestContext, gate: Partial<SceneOptions['gate']> = {}) {
  const pki = makePki(t);
  const clock = new FakeClock();
  const { cert, key } = pki.server;
  const certificates = await watchCertificates({ cert, key, clientCas: [pki.ca] }, clock, silentLog);
  t.after(() => certificates.stop());
  const scene = await setUp(
    t,
    { clusters: 'a@1' },
    {
      gate: { auth: 'mtls', claims: 'ignored', ...gate },
      tls: { certificates, requireClient: true },
    },
  );
  const proofOf = (id: string, from: TestPki = pki) => ({
    tls: { ca: readFileSync(pki.ca), ...readPem(from.node(id)) },
  });
  const setPolicy = (policy: NodePolicy) => scene.store.put('NodePolicy', policy.node, policy);
  /** Lets it look at its files until that is so. */
  const lookUntil = (isSo: () => unknown, what: string) =>
    until(
      () => {
        if (clock.pending > 0) clock.advance(LOOK_EVERY_MS);
        return isSo();
      },
      { what },
    );
  return { ...scene, pki, lookUntil, certificates, proofOf, setPolicy };
}

test('a certificate whose SPIFFE id ends as the node.id lets its node in, in both forms', async t => {
  const { connect, proofOf, presence } = await setUpTls(t);
  const connection = connect(proofOf(NODE));
  assert.equal(await accept(connection.open(NODE, { form: 'delta' }).ask(CDS)), 'cds a@1');
  assert.equal(await accept(connection.open(NODE, { form: 'sotw' }).ask(CDS)), 'cds a@1');
  const known = await until(() => presence(), { what: 'the node to be recorded' });
  assert.equal(known.node.claims, 'ignored', 'its own word does not count');
});

test('who shows no certificate, or one of another CA, does not get as far as a stream', async t => {
  const { connect, proofOf, pki } = await setUpTls(t);
  const strangers = [
    { tls: { ca: readFileSync(pki.ca) } },
    proofOf(NODE, makePki(t)),
    // A certificate of the same CA, which is for servers.
    { tls: { ca: readFileSync(pki.ca), ...readPem(pki.server) } },
    {},
  ];
  for (const proof of strangers) {
    const { code } = await connect(proof).open().ask(CDS).ended;
    assert.equal(code, status.UNAVAILABLE);
  }
  assert.equal(await accept(connect(proofOf(NODE)).open().ask(CDS)), 'cds a@1', 'the port goes on');
});

test('another node.id than that of the certificate is refused by name, and counted', async t => {
  const { connect, proofOf, gate } = await setUpTls(t);
  const connection = connect(proofOf('edge-2'));
  const { code, details } = await connection.open(NODE).ask(CDS).ended;
  assert.equal(code, status.PERMISSION_DENIED);
  assert.match(details, /node-refused.*spiffe:\/\/attache\.test\/node\/edge-2.*edge-1/);
  assert.equal(gate.refusals().get('node-refused'), 1);
  const sink = connection.sink(METRICS);
  const ended = new Promise<number>(resolve => sink.on('status', ({ code: end }) => resolve(end)));
  sink.on('error', () => {});
  sink.write(encodeMetrics({ node: NODE, families: [] }));
  assert.equal(await ended, status.PERMISSION_DENIED);
});

test('a policy gives a name to a node, and takes the node from the name that it had', async t => {
  const { connect, proofOf, setPolicy } = await setUpTls(t);
  const before = connect(proofOf(NODE)).open(NODE).ask(CDS);
  await accept(before);
  await setPolicy({ node: NODE, certificate: `spiffe://${TRUST_DOMAIN}/node/blue` });
  assert.equal((await before.ended).code, status.PERMISSION_DENIED, 'an open stream ends');
  const blue = connect(proofOf('blue'));
  assert.equal(await accept(blue.open(NODE).ask(CDS)), 'cds a@1');
  assert.equal(
    (await blue.open('blue').ask(CDS).ended).code,
    status.PERMISSION_DENIED,
    'it is that node alone',
  );
});

test('what was revoked ends its streams and comes back with a new certificate only', async t => {
  const { connect, proofOf, setPolicy, pki } = await setUpTls(t);
  const old = { tls: { ca: readFileSync(pki.ca), ...readPem(pki.node(NODE, Date.now() - 60_000)) } };
  const stream = connect(old).open(NODE).ask(CDS);
  await accept(stream);
  await setPolicy({ node: NODE, revoked: { by: 'ada', message: null, at: Date.now() } });
  const { code, details } = await stream.ended;
  assert.equal(code, status.PERMISSION_DENIED);
  assert.match(details, /node-credential-revoked/);
  assert.equal((await connect(old).open(NODE).ask(CDS).ended).code, status.PERMISSION_DENIED);
  assert.equal(await accept(connect(proofOf(NODE)).open(NODE).ask(CDS)), 'cds a@1');
});

test('a certificate that expires while its stream is open counts no more', async t => {
  let ahead = 0;
  const clock = { now: () => Date.now() + ahead, after: () => () => {} };
  const { connect, proofOf } = await setUpTls(t, { clock });
  const stream = connect(proofOf(NODE)).open(NODE).ask(CDS);
  await accept(stream);
  ahead = 31 * 86_400_000;
  stream.say(CDS, { ask: ['b'] });
  const { code, details } = await stream.ended;
  assert.equal(code, status.UNAUTHENTICATED);
  assert.match(details, /node-credential-expired/);
});

test('new certificates are used without a restart, and broken ones change nothing', async t => {
  const { connect, proofOf, pki, lookUntil, certificates, server } = await setUpTls(t);
  const stream = connect(proofOf(NODE)).open(NODE).ask(CDS);
  await accept(stream);
  const proof = proofOf('probe').tls;
  const serial = () => readServerSerial(server.address.port, proof);
  const first = await serial();
  pki.renewServer();
  await lookUntil(async () => (await serial()) !== first, 'the new certificate to be used');
  const second = await serial();
  const { cert } = pki.server;
  const good = readFileSync(cert);
  writeFileSync(cert, 'no certificate');
  await lookUntil(() => certificates.warnings().length > 0, 'the fault to be said');
  assert.equal(await serial(), second);
  writeFileSync(cert, good);
  await lookUntil(() => certificates.warnings().length === 0, 'the fault to be gone');
  assert.equal(await accept(stream.say(CDS, { ask: ['b'] })), 'cds -b', 'an open stream goes on');
});

test('two CAs count side by side, and who came by one that is withdrawn is cut', async t => {
  const { connect, proofOf, pki, lookUntil, certificates, set } = await setUpTls(t);
  set({ clusters: 'c@1' }, 'edge-2');
  const other = makePki(t);
  const ours = readFileSync(pki.ca);
  const theirs = { tls: { ca: ours, ...readPem(other.node('edge-2')) } };
  appendFileSync(pki.ca, readFileSync(other.ca));
  await lookUntil(() => certificates.certificates().length === 3, 'the second CA to count');
  const second = connect(theirs).open('edge-2').ask(CDS);
  assert.equal(await accept(second), 'cds c@1');
  assert.equal(await accept(connect(proofOf(NODE)).open(NODE).ask(CDS)), 'cds a@1');
  writeFileSync(pki.ca, ours);
  await lookUntil(() => certificates.certificates().length === 2, 'the second CA to be withdrawn');
  assert.equal((await second.ended).code, status.UNAVAILABLE);
  assert.equal((await connect(theirs).open('edge-2').ask(CDS).ended).code, status.UNAVAILABLE);
  assert.equal(await accept(connect(proofOf(NODE)).open(NODE).ask(CDS)), 'cds a@1');
});

test('a connection is let go of however it ends: after its work, in the handshake, before it', async t => {
  const { connect, proofOf, pki, guard, server } = await setUpTls(t);
  const connection = connect(proofOf(NODE));
  const stream = connection.open(NODE).ask(CDS);
  await accept(stream);
  const silent = connectTcp({ host: '127.0.0.1', port: server.address.port });
  const plain = connectTcp({ host: '127.0.0.1', port: server.address.port }, () =>
    plain.write('GET / HTTP/1.1'),
  );
  for (const socket of [silent, plain]) socket.on('error', () => {});
  await connect({ tls: { ca: readFileSync(pki.ca) } })
    .open()
    .ask(CDS).ended;
  await until(() => guard.usage().connections >= 2, { what: 'those that are open to be counted' });
  stream.cancel();
  await connection.stop();
  silent.destroy();
  await until(() => guard.usage().connections === 0, { what: 'all to be gone' });
  plain.destroy();
});

test('no TLS session is taken up again', async t => {
  const { server, proofOf } = await setUpTls(t);
  const { tls } = proofOf('probe');
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const first = await handshake(server.address.port, { ...tls, maxVersion });
    const session = first.getSession();
    first.destroy();
    const again = await handshake(server.address.port, {
      ...tls,
      maxVersion,
      ...(session === undefined ? {} : { session }),
    });
    assert.equal(again.isSessionReused(), false, maxVersion);
    again.destroy();
  }
});

test('a node token lets its own node in, until it is revoked; nothing else does', async t => {
  const tokenKey = randomBytes(32);
  const gate = { auth: 'token', claims: 'ignored', tokenKey } as const;
  const { connect, gate: open, store } = await setUp(t, { clusters: 'a@1' }, { gate });
  const token = makeNodeToken(tokenKey, NODE, 0);
  const stream = connect({ token }).open(NODE).ask(CDS);
  assert.equal(await accept(stream), 'cds a@1');
  const refused = [
    [{}, NODE, status.UNAUTHENTICATED],
    [{ token: 'att_something' }, NODE, status.UNAUTHENTICATED],
    [{ token: `${token.slice(0, -2)}AA` }, NODE, status.UNAUTHENTICATED],
    [{ token: makeNodeToken(randomBytes(32), NODE, 0) }, NODE, status.UNAUTHENTICATED],
    [{ token }, 'edge-2', status.PERMISSION_DENIED],
  ] as const;
  for (const [proof, node, code] of refused)
    assert.equal((await connect(proof).open(node).ask(CDS).ended).code, code);
  assert.equal(open.refusals().get('node-credential-missing'), 1);
  const at = Date.now();
  await store.put('NodePolicy', NODE, { node: NODE, revoked: { by: 'ada', message: null, at } });
  assert.equal((await stream.ended).code, status.UNAUTHENTICATED);
  const renewed = connect({ token: makeNodeToken(tokenKey, NODE, at) });
  assert.equal(await accept(renewed.open(NODE).ask(CDS)), 'cds a@1');
});

test('a status request shows the nodes that the caller may be; health is for everybody', async t => {
  const tokenKey = randomBytes(32);
  const gate = { auth: 'token', claims: 'ignored', tokenKey } as const;
  const { connect, set, server } = await setUp(t, { clusters: 'a@1' }, { gate });
  set({ clusters: 'c@1' }, 'edge-2');
  const tokens = [NODE, 'edge-2'].map(node => makeNodeToken(tokenKey, node, 0));
  await accept(
    connect({ token: tokens[0] ?? '' })
      .open(NODE)
      .ask(CDS),
  );
  await accept(
    connect({ token: tokens[1] ?? '' })
      .open('edge-2')
      .ask(CDS),
  );
  const { port } = server.address;
  const shown = await stopAfter(t, new DebugClient(port, tokens[1])).status();
  assert.deepEqual(
    shown.map(({ node }: { node: { id: string } }) => node.id),
    ['edge-2'],
  );
  const stranger = stopAfter(t, new DebugClient(port));
  await assert.rejects(stranger.status(), { code: status.UNAUTHENTICATED });
  assert.equal((await stranger.unary('grpc.health.v1.Health.Check', {})).status, 'SERVING');
});

interface Hands {
  readonly ca: Buffer;
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly maxVersion?: 'TLSv1.2' | 'TLSv1.3';
  readonly session?: Buffer;
}

/** Until something of the server came, so that its tickets came too if it gives any. */
function handshake(port: number, options: Hands): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({ host: '127.0.0.1', port, ALPNProtocols: ['h2'], ...options });
    socket.once('error', reject);
    socket.once('data', () => resolve(socket));
  });
}

async function readServerSerial(port: number, options: Hands): Promise<string> {
  const socket = await handshake(port, options);
  const serial = socket.getPeerX509Certificate()?.serialNumber ?? '';
  socket.destroy();
  return serial;
}
