import { randomBytes } from 'node:crypto';
import type { JsonObject } from '../../../src/model/plugin-spec.ts';
import type { PluginOnNode } from '../../harness/attache-process.ts';
import { buildStamp } from '../../harness/fixture-modules.ts';
import { until } from '../../harness/wait.ts';
import type { LifecycleScene } from './lifecycle-scene.ts';

/** What of a scene is needed here. */
type Serving = Pick<LifecycleScene, 'attache' | 'envoy' | 'node'>;

/** A plugin that stamps, from a module of its own that no Envoy has seen. */
export interface StampPlugin {
  readonly name: string;
  readonly url: string;
}

export async function offerStamp(scene: Serving, name: string): Promise<StampPlugin> {
  return { name, url: await scene.attache.offer(await buildStamp(randomBytes(8).toString('hex'))) };
}

/** Applies the plugin; its revision number is the caller's to know. */
export async function applyStamp(
  scene: Serving,
  { name, url }: StampPlugin,
  stamp: string,
  more: JsonObject = {},
): Promise<void> {
  await scene.attache.applyPlugin(name, { url, pluginConfig: { stamp }, ...more });
}

/** Until the node says that it runs this revision, and everything else is out of use. */
export async function untilOn(scene: Serving, plugin: string, revision: number): Promise<void> {
  await scene.attache.waitAccepted(scene.node, plugin, revision);
  await untilDrained(scene);
}

/** Until the node says nothing about the plugin any more. */
export async function untilGone(scene: Serving, plugin: string): Promise<void> {
  const { attache, node } = scene;
  await until(async () => (await attache.pluginOn(node, plugin)) === undefined, {
    what: `${plugin} to leave`,
  });
  await untilDrained(scene);
}

/** Without chains a listener changes with its plugins, and its old version serves open connections for a while. */
async function untilDrained({ envoy }: Serving): Promise<void> {
  const draining = () => envoy.stat('listener_manager.total_filter_chains_draining');
  await until(async () => (await draining()) === 0, { what: 'the old version of the listener to go' });
}

/** Until everybody is to run the plugin's newest revision, whoever may be there to do so. */
export async function untilAssigned({ attache }: Serving, plugin: string, revision: number): Promise<void> {
  const assigned = async () => {
    const { to, counts, phase } = await attache.must('GET', `/v1/rollouts/default.${plugin}.latest`);
    // With nobody there to be moved it is over at once, and whoever comes is to run it.
    return to?.revision === revision && (counts.untouched === 0 || phase === 'Succeeded');
  };
  await until(assigned, { what: `revision ${revision} of ${plugin} to be assigned` });
}

/** Until the node says that it refused one revision, and is back at the other (null: at none). */
export function untilRefused(
  { attache, node }: Serving,
  plugin: string,
  revision: number,
  back: number | null,
): Promise<PluginOnNode> {
  return until(
    async () => {
      const said = await attache.pluginOn(node, plugin);
      const isBack = said?.revision === back && said.desiredRevision === back;
      return said?.refusedRevision === revision && isBack && said;
    },
    { what: `${node} to refuse revision ${revision} of ${plugin}` },
  );
}
