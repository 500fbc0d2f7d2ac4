import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { buildStamp, type FixtureModule } from '../../harness/fixture-modules.ts';
import { probe, stampOf } from '../../harness/probe.ts';
import { type RawWasm, rawListener, rawSlot, rawWasm } from '../../harness/raw-resources.ts';
import type { RawScene } from '../../harness/raw-scene.ts';
import { until } from '../../harness/wait.ts';

export const SLOT = 'place';

/** A stamping module that no Envoy has seen, offered by the scene's host. */
export async function freshStamp(scene: RawScene): Promise<FixtureModule> {
  const module = await buildStamp(randomBytes(8).toString('hex'));
  scene.host.add(module);
  return module;
}

export function stampWith(module: FixtureModule, stamp: string, nack: boolean, more: Partial<RawWasm> = {}) {
  return rawWasm({ name: 'stamp', sha256: module.sha256, configuration: { stamp }, nack, ...more });
}

/**
 * Brings the scene's Envoy to serving listener `main` with a plugin in its slot, as it should be done: the
 * warming form while the listener warms, then the verdict form. Every response then says `x-stamp: first`.
 */
export async function serveFirst(scene: RawScene): Promise<{ port: number; module: FixtureModule }> {
  const module = await freshStamp(scene);
  const { xds, envoy } = scene;
  await xds.waitRequest(() => true, 'the Envoy to connect');
  xds.pushListener('1', rawListener('main', [rawSlot({ name: SLOT, unanswered: 'deny' })]));
  await xds.waitSubscribed(SLOT);
  assert.equal((await xds.pushSlot(SLOT, 'first.w', stampWith(module, 'first', false)).verdict).ok, true);
  const port = await envoy.listenerPort('main');
  assert.equal((await xds.pushSlot(SLOT, 'first.v', stampWith(module, 'first', true)).verdict).ok, true);
  assert.equal(await stampAt(port), 'first');
  return { port, module };
}

/** What the plugin in the slot says to a request now; undefined: it passed without the plugin. */
export async function stampAt(port: number): Promise<string | undefined> {
  const answer = await probe(port);
  assert.equal(answer.status, 200);
  return stampOf(answer);
}

/** Until the host has sent a module to the Envoy as often as said. */
export async function untilSent(scene: RawScene, sha256: string, times = 1): Promise<void> {
  const sent = () => scene.host.getsOf(sha256).filter(get => get.state === 'sent').length;
  await until(() => sent() >= times, { what: `module ${sha256} to be sent ${times} times` });
}

/** Until every worker has what the newest ACK promised. */
export async function untilStamp(port: number, stamp: string): Promise<void> {
  await until(async () => (await stampAt(port)) === stamp, { what: `the stamp ${stamp}` });
}
