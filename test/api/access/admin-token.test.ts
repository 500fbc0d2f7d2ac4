import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ensureAdminToken } from '../../../src/api/access/admin-token.ts';
import { type ApiToken, isSameToken, makeToken, readTokenId } from '../../../src/model/api-token.ts';
import { createMemoryStore } from '../../../src/store/memory-store.ts';

const NOW = 1_000_000;
const random = (bytes: number): string => randomBytes(bytes).toString('hex');

function setUp(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'attache-admin-'));
  const store = createMemoryStore();
  t.after(async () => {
    rmSync(folder, { recursive: true });
    await store.close();
  });
  const path = join(folder, 'admin-token');
  const clock = { now: () => NOW, after: () => () => {} };
  const ensure = () => ensureAdminToken({ store, path, clock, random });
  const give = async (over: Partial<ApiToken>): Promise<void> => {
    const { id, sha256 } = makeToken(random);
    const token = {
      id,
      sha256,
      name: id,
      role: 'admin',
      scope: {},
      createdBy: 'admin',
      createdAt: 1,
    } as const;
    await store.put('Token', id, { ...token, ...over });
  };
  return { store, path, ensure, give };
}

test('the file has the token whose hash is in the store, for its owner alone, whatever was there', async t => {
  const { store, path, ensure } = setUp(t);
  writeFileSync(path, 'old');
  chmodSync(path, 0o666);
  assert.equal(await ensure(), true);
  const token = readFileSync(path, 'utf8').trim();
  const stored = await store.get('Token', readTokenId(token) ?? '');
  assert.ok(stored && isSameToken(stored.value, token));
  assert.deepEqual([stored.value.name, stored.value.role, stored.value.scope], ['admin', 'admin', {}]);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal(await ensure(), false);
  assert.equal(readFileSync(path, 'utf8').trim(), token);
});

test('it is made where nobody is an admin any more, and not beside one whose token has an end to come', async t => {
  const { ensure, give } = setUp(t);
  await give({ expiresAt: NOW + 1 });
  assert.equal(await ensure(), false);
  const other = setUp(t);
  await other.give({ expiresAt: NOW });
  await other.give({ role: 'approver' });
  assert.equal(await other.ensure(), true);
});

test('the audit tells of it, and has nothing of the token', async t => {
  const { store, path, ensure } = setUp(t);
  await ensure();
  const { records } = await store.list('AuditEntry');
  assert.deepEqual(
    records.map(({ value }) => [value.actor, value.action, value.subject]),
    [['attache', 'token.created', 'admin']],
  );
  const token = readFileSync(path, 'utf8').trim();
  assert.equal(JSON.stringify(records).includes(token.slice(13)), false);
});
