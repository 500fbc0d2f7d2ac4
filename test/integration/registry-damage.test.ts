/** A manifest of the built-in registry whose file is damaged. */
import assert from 'node:assert/strict';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { silentLog } from '../../src/model/ports.ts';
import { collectGarbage } from '../../src/module/collect-garbage.ts';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import { openTestCache, startRegistry, systemClock } from '../module/actors.ts';
import { callRegistry, pushImage } from '../module/registry-client.ts';

const DAY_MS = 86_400_000;

/** An image that was pushed, its manifest then damaged, and the server started again nine days later. */
async function damage(t: TestContext) {
  const { host, cache: before } = await startRegistry(t);
  const { digest, layer } = await pushImage(callRegistry(host), 'team/auth', '1', Buffer.from('the module'));
  const path = join(before.directory, 'blobs', 'sha256', digest.slice('sha256:'.length));
  await chmod(path, 0o600);
  await writeFile(path, 'x');
  const clock = { ...systemClock, now: () => Date.now() + 9 * DAY_MS };
  const cache = await openTestCache(before.directory, { clock });
  const again = await startRegistry(t, () => false, { cache, clock });
  const collect = () =>
    collectGarbage(
      {
        store: createMemoryStore(),
        cache,
        registryHeld: () => again.registry.held(),
        clock,
        log: silentLog,
      },
      0,
    );
  const hasLayer = () => cache.has(layer.slice('sha256:'.length));
  return { call: callRegistry(again.host), digest, collect, hasLayer };
}

test('the layers of a damaged manifest stay, and it is whole once it is pushed again', async t => {
  const { call, digest, collect, hasLayer } = await damage(t);
  assert.equal((await call('GET', `/v2/team/auth/manifests/${digest}`)).status, 404);
  await collect();
  assert.ok(await hasLayer(), 'its layer was deleted');
  await pushImage(call, 'team/auth', '1', Buffer.from('the module'));
  assert.equal((await call('GET', `/v2/team/auth/manifests/${digest}`)).status, 200);
});

test('a damaged manifest that was deleted holds nothing any more', async t => {
  const { call, digest, collect, hasLayer } = await damage(t);
  assert.equal((await call('DELETE', `/v2/team/auth/manifests/${digest}`)).status, 202);
  await collect();
  assert.ok(!(await hasLayer()));
});
