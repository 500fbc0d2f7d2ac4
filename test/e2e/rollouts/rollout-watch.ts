import assert from 'node:assert/strict';
import type { RolloutView } from '../../../src/api/schema/rollout-view.ts';
import type { JsonObject } from '../../../src/model/plugin-spec.ts';
import type { AttacheProcess } from '../../harness/attache-process.ts';
import { type Ran, runAttache } from '../../harness/run-attache.ts';
import { until, type Waiting } from '../../harness/wait.ts';
import type { FleetNode, FleetScene } from './fleet-scene.ts';

/** Steps that a test can watch: one node, half of them, all; no more than seconds between. */
export const SHORT_STEPS: JsonObject = {
  steps: [
    { nodes: 1, soak: '2s' },
    { share: '50%', soak: '2s' },
  ],
  bake: '2s',
};

/** Everybody at once; proven after a second. */
export const AT_ONCE: JsonObject = { preset: 'all-at-once', bake: '1s' };

/** A rollout of a plugin of the namespace `default`; undefined: there is none yet. */
export async function rolloutOf(
  attache: AttacheProcess,
  plugin: string,
  number: number | 'latest' = 'latest',
): Promise<RolloutView | undefined> {
  const { status, body } = await attache.request('GET', `/v1/rollouts/default.${plugin}.${number}`);
  return status === 200 ? (body as RolloutView) : undefined;
}

/** Until the rollout is as asked; the error tells where it stands. */
export async function untilRollout(
  attache: AttacheProcess,
  plugin: string,
  number: number,
  waiting: Waiting,
  condition: (view: RolloutView) => boolean,
): Promise<RolloutView> {
  let last: RolloutView | undefined;
  try {
    return await until(
      async () => {
        last = await rolloutOf(attache, plugin, number);
        return last !== undefined && condition(last) && last;
      },
      { everyMs: 50, ...waiting },
    );
  } catch (error) {
    throw new Error(`${error}; it is ${JSON.stringify(last)}`, { cause: error });
  }
}

/** Until the rollout is in one of these phases. */
export function untilPhase(
  attache: AttacheProcess,
  plugin: string,
  number: number,
  phases: readonly RolloutView['phase'][],
  deadlineMs = 60_000,
): Promise<RolloutView> {
  const what = `${plugin} rollout ${number} to be ${phases.join(' or ')}`;
  return untilRollout(attache, plugin, number, { what, deadlineMs }, view => phases.includes(view.phase));
}

/** Until a step of the rollout (default: any) is watched. */
export function untilSoaking(
  attache: AttacheProcess,
  plugin: string,
  number: number,
  step?: number,
): Promise<RolloutView> {
  const isSoaking = (view: RolloutView) => step === undefined || view.step === step;
  const waiting = { what: `${plugin} rollout ${number} to soak` };
  return untilRollout(
    attache,
    plugin,
    number,
    waiting,
    view => view.timer?.what === 'soak' && isSoaking(view),
  );
}

/** Applies and waits until the rollout has succeeded. */
export async function install(
  attache: AttacheProcess,
  plugin: string,
  spec: JsonObject,
  number = 1,
): Promise<RolloutView> {
  await attache.applyPlugin(plugin, { rollout: AT_ONCE, ...spec });
  return untilPhase(attache, plugin, number, ['Succeeded']);
}

/** Runs a verb of the program against this server, whatever its exit code; its words are those that users know. */
export async function cli(attache: AttacheProcess, ...args: string[]): Promise<Ran> {
  const ran = await runAttache(args, { env: { ATTACHE_SERVER: attache.addresses.api } });
  assertPlainWords([ran.out, ran.err]);
  return ran;
}

/** What the nodes run, by id: the header that plugins/stamp sets, or null without it. */
export async function stamps(fleet: FleetScene): Promise<Readonly<Record<string, string | null>>> {
  const pairs = await Promise.all([...fleet.nodes.values()].map(async node => [node.id, await stamp(node)]));
  return Object.fromEntries(pairs) as Record<string, string | null>;
}

export async function stamp({ port }: FleetNode): Promise<string | null> {
  const response = await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(10_000) });
  await response.arrayBuffer();
  return response.headers.get('x-stamp');
}

/** When anything about places was sent to a node since then, ms. */
export function sentTo({ spy }: FleetNode, since: number): readonly number[] {
  return spy
    .carrying()
    .filter(one => one.at >= since && /TypedExtensionConfig$/.test(one.typeUrl))
    .map(({ at }) => at);
}

/** Nodes to which anything about places was sent since then. */
export function touchedSince(fleet: FleetScene, at: number): readonly string[] {
  return [...fleet.nodes.values()].filter(node => sentTo(node, at).length > 0).map(({ id }) => id);
}

/** Until every Envoy pushed its stats so often, from now on: what it did until now is known then. */
export async function untilFlushed(fleet: FleetScene, times = 1): Promise<void> {
  const from = Date.now();
  const hasFlushed = ({ spy }: FleetNode) => spy.flushes.filter(at => at > from).length >= times;
  const what = 'every Envoy to push its stats';
  await until(() => [...fleet.nodes.values()].every(hasFlushed), {
    what,
    deadlineMs: 10_000 + times * 10_000,
  });
}

/** What users read holds none of our own words. */
export function assertPlainWords(printed: readonly string[]): void {
  const inside = /\b(slots?|attempts?|verdicts?|process|processes|nonces?|cohorts?)\b/i;
  for (const text of printed) assert.doesNotMatch(text, inside);
}
