import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCheckResource } from '../../src/compile/check-resource.ts';
import { makeFindReferences } from '../../src/compile/find-references.ts';
import { installedProtoFiles } from '../../src/compile/proto-files.ts';
import { ProtoRegistry } from '../../src/compile/proto-registry.ts';
import { readProtosets } from '../../src/compile/protoset.ts';
import { createBuiltInRegistry } from '../../src/module/built-in-registry.ts';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import { startApi, systemClock } from '../api/api-client.ts';
import { makeMoves, makeUpdate, writeScene } from '../api/rollout-records.ts';
import { readOpenApi } from '../contract/openapi-document.ts';
import { anybody, NO_AUDIT, openTestCache, random } from '../module/actors.ts';

/** The API over a store with a plugin on its way to twenty nodes, and Envoy's own API to check resources. */
export async function startFuzzScene() {
  const store = createMemoryStore();
  const now = Date.now();
  await writeScene(store, { now, rollout: makeUpdate(), moves: makeMoves('default.auth.3', now, 1, 4) });
  const registry = new ProtoRegistry(installedProtoFiles(), readProtosets([]));
  const failures: object[] = [];
  const note = (fields: object): void => {
    failures.push(fields);
  };
  const log = { debug() {}, info() {}, warn() {}, error: note };
  const folder = mkdtempSync(join(tmpdir(), 'attache-fuzz-'));
  const cache = await openTestCache(join(folder, 'modules'));
  const hub = { cache, authorize: anybody, audit: NO_AUDIT, clock: systemClock, random, log };
  const api = await startApi(store, {
    registry: createBuiltInRegistry(hub),
    scrape: async () => '',
    checkResource: makeCheckResource(registry),
    findReferences: makeFindReferences(registry),
    log,
    // No stage takes in what is asked: nobody waits for one.
    takeInMs: 1,
    takeBackup: async () => ({
      manifest: { revision: 1, files: [] } as never,
      sizeBytes: 3,
      bytes: (async function* () {
        yield Buffer.from('tar');
      })(),
      close: async () => {},
    }),
  });
  const page = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');
  const codes = new Set([...page.matchAll(/^### (.+)$/gm)].map(match => match[1] ?? ''));
  const stop = async (): Promise<void> => {
    await api.stop();
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  };
  return { url: api.url, document: await readOpenApi(api.url), codes, failures, stop };
}
