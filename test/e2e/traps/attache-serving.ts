import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { TestContext } from 'node:test';
import type { JsonObject } from '../../../src/model/plugin-spec.ts';
import { type AttacheScene, serveMain } from '../../harness/attache-scene.ts';
import { stopAfter } from '../../harness/cleanup.ts';
import { buildStamp, padTo } from '../../harness/fixture-modules.ts';
import { type Load, startLoad } from '../../harness/load.ts';
import { stampOf } from '../../harness/probe.ts';
import { until } from '../../harness/wait.ts';
import { untilStamp } from './raw-serving.ts';

/** URL of a stamping module that no Envoy has seen, as big as asked. */
export async function offerStamp(scene: AttacheScene, sizeBytes = 0): Promise<string> {
  const seed = randomBytes(8).toString('hex');
  const stamp = await buildStamp(seed);
  return scene.attache.offer(sizeBytes === 0 ? stamp : padTo(stamp.bytes, sizeBytes, seed));
}

/** Applies a plugin that stamps; its revision number is the caller's to know. */
export async function applyStamp(
  scene: AttacheScene,
  name: string,
  stamp: string,
  more: JsonObject & { readonly url: string },
): Promise<void> {
  await scene.attache.applyPlugin(name, { pluginConfig: { stamp }, ...more });
}

/**
 * Listener `main` with the plugin `stamp` at revision 1, which stamps `first`, and load in which every answer is
 * to be 200 and stamped.
 */
export async function serveFirst(
  t: TestContext,
  scene: AttacheScene,
): Promise<{ port: number; load: Load; url: string }> {
  const port = await serveMain(scene);
  const url = await offerStamp(scene);
  await applyStamp(scene, 'stamp', 'first', { url });
  await scene.attache.waitAccepted(scene.node, 'stamp', 1);
  await untilStamp(port, 'first');
  const load = startStampedLoad(t, port);
  await untilMore(load);
  return { port, load, url };
}

/** Load in which every answer is to be 200 and carry a stamp. */
export function startStampedLoad(t: TestContext, port: number): Load {
  return stopAfter(t, startLoad({ port, hasPlugin: response => stampOf(response) !== undefined }));
}

/** So many requests more. */
export async function untilMore(load: Load, requests = 100): Promise<void> {
  const before = load.total;
  await until(() => load.total >= before + requests, { what: `${requests} requests` });
}

/** Ends the load and prints both counts, which must be zero. */
export async function assertClean(t: TestContext, load: Load): Promise<void> {
  await untilMore(load);
  await load.stop();
  t.diagnostic(`Attaché: ${load}`);
  assert.equal(load.failed, 0, JSON.stringify(load.failures.slice(0, 5)));
  assert.equal(load.withoutPlugin, 0);
}
