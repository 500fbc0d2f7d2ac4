import { EXTENSION_CONFIG_TYPE } from '../../src/model/type-url.ts';
import type { FleetNode, FleetScene } from '../../test/e2e/rollouts/fleet-scene.ts';
import { toStampModule } from '../../test/harness/fixture-modules.ts';
import { until } from '../../test/harness/wait.ts';
import type { ChangeMarks, EnvoyMarks } from './breakdown.ts';

export const PLUGIN = 'effect';
const LOOK_MS = 4;

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
  const began = Date.now();
  const effects = nodes.map(node => untilEffect(node, change, began));
  const { url, stamp } = change;
  await attache.applyPlugin(PLUGIN, { url, pluginConfig: { stamp }, rollout: { preset: 'all-at-once' } });
  const answeredMs = Date.now() - began;
  const seen = await Promise.all(effects);
  const downloads = await readDownloads(attache, sha256, began);
  const { items } = await attache.must('GET', `/v1/plugins/default/${PLUGIN}/revisions`);
  for (const { id } of nodes) await attache.waitAccepted(id, PLUGIN, items[0].number);
  // Who was pushed to last had its download last.
  const byPush = nodes.map((node, i) => ({ ...readPushes(node, began, seen[i]!), effect: seen[i]! }));
  byPush.sort((a, b) => a.last - b.last);
  return {
    answeredMs,
    revisionMs: Date.parse(items[0].createdAt) - began,
    envoys: byPush.map(({ first, last, accepted, effect }, i): EnvoyMarks => {
      const download = downloads.length === nodes.length ? downloads[i]! - began : undefined;
      return {
        pushedMs: first - began,
        downloadedMs: download,
        lastPushMs: last - began,
        acceptedMs: accepted - began,
        effectMs: effect - began,
      };
    }),
  };
}

/** Nothing is asked before the push came: what asks shares the cores with what is measured. */
async function untilEffect(node: FleetNode, { seed, stamp }: Change, began: number): Promise<number> {
  const deadlineMs = 120_000;
  const isPushed = () => pushesOf(node, began).length > 0;
  await until(isPushed, { what: `a push to ${node.id}`, everyMs: LOOK_MS, deadlineMs });
  const answers = async () => {
    const { headers } = await fetch(`http://127.0.0.1:${node.port}/`);
    const isNew = headers.get('x-stamp-module') === toStampModule(seed);
    return isNew && headers.get('x-stamp')?.includes(stamp) ? Date.now() : undefined;
  };
  return until(answers, { what: `${node.id} to answer with the change`, everyMs: LOOK_MS, deadlineMs });
}

function pushesOf({ spy }: FleetNode, from: number) {
  return spy.carrying().filter(({ typeUrl, at }) => typeUrl === EXTENSION_CONFIG_TYPE && at >= from);
}

/** The first push, and the last before the effect with the time of its answer. */
function readPushes(node: FleetNode, from: number, to: number) {
  const pushes = pushesOf(node, from).filter(({ at }) => at <= to);
  const last = pushes.at(-1)!;
  const answer = node.spy.requests.find(({ responseNonce }) => responseNonce === last.nonce);
  return { first: pushes[0]!.at, last: last.at, accepted: answer?.at ?? to };
}

/** When each download of the module ended, in order: the module server says so in its log. */
async function readDownloads(
  attache: FleetScene['attache'],
  sha256: string,
  from: number,
): Promise<number[]> {
  const lines = (await attache.log()).split('\n').filter(line => line.includes('module request ended'));
  return lines
    .map(line => JSON.parse(line) as { readonly time: number | string; readonly sha256: string })
    .filter(line => line.sha256 === sha256)
    .map(({ time }) => new Date(time).getTime())
    .filter(at => at >= from)
    .sort((a, b) => a - b);
}
