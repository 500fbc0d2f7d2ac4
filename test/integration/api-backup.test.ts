/** `GET /v1/backup` where it goes wrong. What is in a backup: backup.test.ts */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BACKUP_FORMAT, type OpenBackup } from '../../src/model/backup.ts';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import { startApi } from '../api/api-client.ts';

test('a backup that cannot be audited is not given, and let go of: a file left open ends the server', async t => {
  const store = createMemoryStore();
  let closed = 0;
  const backup: OpenBackup = {
    manifest: {
      format: BACKUP_FORMAT,
      version: '1.0.0',
      createdAt: 1,
      revision: 1,
      schema: 1,
      records: {},
      withoutKeys: false,
      files: [],
    },
    sizeBytes: 1,
    bytes: (async function* () {
      yield Buffer.from('x');
    })(),
    close: async () => {
      closed += 1;
    },
  };
  const api = await startApi(store, {
    takeBackup: async () => {
      // The disk is full by now, say.
      await store.close();
      return backup;
    },
  });
  t.after(() => api.stop());
  const answer = await fetch(`${api.url}/v1/backup`);
  assert.equal(answer.status, 503);
  assert.equal(closed, 1);
});
