import { join } from 'node:path';
import type { FleetNode, FleetScene } from '../../test/e2e/rollouts/fleet-scene.ts';
import { toStampModule } from '../../test/harness/fixture-modules.ts';
import { until } from '../../test/harness/wait.ts';
import type { ChangeMarks, EnvoyMarks } from './breakdown.ts';
import { ServerLog } from './server-log.ts';

export const PLUGIN = 'effect';
const LOOK_MS = 4;
const DEADLINE_MS = 120_000;

/** What every response of an Envoy says once it runs the change. */
export interface Change {
  readonly url: string;
  readonly seed: string;
  readonly stamp: string;
}

/** Applies it to all Envoys at once, and notes when what happened; resolves when every one answers with it. */
export async function playChange(scene: FleetScene, change: Change, sha256: string): Promise<ChangeMarks> {
  const { attache } = scene;
  const nodes = [...scene.nodes.values()];
  const log = new ServerLog(join(attache.folder, 'attache.log'));
  await log.read();
  const began = Date.now();
  const { url, stamp } = change;
  const applied = attache
    .applyPlugin(PLUGIN, { url, pluginConfig: { stamp }, rollout: { preset: 'all-at-once' } })
    .then(() => Date.now());
  // Nothing is asked before the pushes are out: what asks shares the cores with what is measured.
  await until(
    async () => {
      await log.read();
      return nodes.every(({ id }) => pushesOf(log, id, began).length > 0);
    },
    { what: 'a push to every Envoy', everyMs: LOOK_MS, deadlineMs: DEADLINE_MS },
  );
  const seen = await Promise.all(nodes.map(node => untilEffect(node, change)));
  const answeredMs = (await applied) - began;
  const { items } = await attache.must('GET', `/v1/plugins/default/${PLUGIN}/revisions`);
  for (const { id } of nodes) await attache.waitAccepted(id, PLUGIN, items[0].number);
  await log.read();
  const downloads = log.timesOf(began, line => line.msg === 'module request ended' && line.sha256 === sha256);
  // Who was pushed to last had its download last.
  const byPush = nodes.map(({ id }, i) => {
    const effect = seen[i]!;
    const pushes = pushesOf(log, id, began).filter(at => at <= effect);
    return { first: pushes[0]!, last: pushes.at(-1)!, effect };
  });
  byPush.sort((a, b) => a.last - b.last);
  return {
    answeredMs,
    revisionMs: Date.parse(items[0].createdAt) - began,
    envoys: byPush.map(({ first, last, effect }, i): EnvoyMarks => {
      const download = downloads.length === nodes.length ? downloads[i]! - began : undefined;
      return {
        pushedMs: first - began,
        downloadedMs: download,
        lastPushMs: last - began,
        effectMs: effect - began,
      };
    }),
  };
}

async function untilEffect(node: FleetNode, { seed, stamp }: Change): Promise<number> {
  const answers = async () => {
    const { headers } = await fetch(`http://127.0.0.1:${node.port}/`);
    const isNew = headers.get('x-stamp-module') === toStampModule(seed);
    return isNew && headers.get('x-stamp')?.includes(stamp) ? Date.now() : undefined;
  };
  const what = `${node.id} to answer with the change`;
  return until(answers, { what, everyMs: LOOK_MS, deadlineMs: DEADLINE_MS });
}

/** When the change went out to a node. */
function pushesOf(log: ServerLog, id: string, since: number): readonly number[] {
  return log.timesOf(since, ({ msg, node }) => msg === 'pushed' && node === id);
}
