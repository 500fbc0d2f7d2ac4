import type { PluginApplyAnswer, PluginView } from '../../api/schema/plugin-view.ts';
import type { RolloutView } from '../../api/schema/rollout-view.ts';
import { toCountText } from '../../model/quantity-text.ts';
import { CliError } from '../cli-error.ts';
import { readMinorVersions } from '../node-versions.ts';
import { pollUntil } from '../poll.ts';
import type { RestClient } from '../rest-client.ts';
import { NODE_ID } from './demo-world.ts';

/** How long anything of the demo may take. */
export const STEP_TIMEOUT_MS = 60_000;
const PLUGIN_PATH = '/v1/plugins/default/hello';
/** One node needs no steps, and nobody wants to watch a bake of minutes. */
const ROLLOUT = { preset: 'all-at-once', bake: '1s' };

/** Stores the plugin of the demo. */
export function putHello(client: RestClient, url: string, pluginConfig: object): Promise<PluginApplyAnswer> {
  return client.put<PluginApplyAnswer>(PLUGIN_PATH, {
    apiVersion: 'extensions.istio.io/v1alpha1',
    kind: 'WasmPlugin',
    metadata: { name: 'hello' },
    spec: { url, pluginConfig, rollout: ROLLOUT },
  });
}

/** Applies, and waits until the node has accepted it. */
export async function applyHello(
  client: RestClient,
  url: string,
  pluginConfig: object,
): Promise<{ view: PluginView; revision: number; state: string; tookMs: number }> {
  const startedAt = performance.now();
  await putHello(client, url, pluginConfig);
  const { answer: view } = await pollUntil(
    () => client.get<PluginView>(PLUGIN_PATH),
    isThere,
    STEP_TIMEOUT_MS,
  );
  const { phase, message } = view.status;
  const why = `the plugin is ${phase}${message === null ? '' : `: ${message}`}`;
  expect(isThere(view) && isGood(view), `waited for ${NODE_ID} to accept it; ${why}`);
  const revision = view.status.desiredRevision ?? 0;
  const state = view.onNodes?.[0]?.state ?? '';
  return { view, revision, state, tookMs: performance.now() - startedAt };
}

function isGood({ status, onNodes }: PluginView): boolean {
  const on = onNodes?.[0];
  const runs = on?.revision === status.desiredRevision && status.desiredRevision !== null;
  return runs && (on.state === 'Accepted' || on.state === 'Loaded') && status.rollout !== null;
}

/** It is good, or will not be. */
function isThere(view: PluginView): boolean {
  return isGood(view) || view.status.phase === 'NotStarted' || view.status.phase === 'RolledBack';
}

/** The newest rollout has ended well: what comes next has something to go back to. */
export async function expectSuccess(client: RestClient): Promise<void> {
  await expectRollout(client, 'the rollout to succeed', ({ phase }) => phase === 'Succeeded');
}

/** All nodes are back on what they ran before. */
export function isRolledBack({ phase, number, back }: RolloutView): boolean {
  return phase === 'RolledBack' && number > 1 && back !== null && back.confirmed === back.touched;
}

/** Waits until the newest rollout is as it has to be. */
export async function expectRollout(
  client: RestClient,
  what: string,
  isRight: (view: RolloutView) => boolean,
): Promise<RolloutView> {
  const ask = () => client.get<RolloutView>('/v1/rollouts/default.hello.latest');
  const { answer, good } = await pollUntil(ask, isRight, STEP_TIMEOUT_MS);
  expect(good, `waited for ${what}; it is ${answer.phase}${answer.why === null ? '' : `: ${answer.why}`}`);
  return answer;
}

/** `checked: ABI 0.2.1, 3 imports known to Envoy 1.40, configure ran with your configuration (4 ms)` */
export async function describeChecks(client: RestClient, view: PluginView): Promise<string> {
  const { module } = view.status;
  const versions = await readMinorVersions(client, view);
  const imports = toCountText(module?.importCount ?? 0, 'import');
  const trial = module?.trial ?? null;
  const ran =
    trial?.outcome === 'ok' ? `, configure ran with your configuration (${Math.ceil(trial.tookMs)} ms)` : '';
  return `checked: ABI ${module?.abi}, ${imports} known to Envoy ${versions.join(' and ')}${ran}`;
}

/** Throws `demo-failed` with what did not hold. */
export function expect(holds: boolean, what: string): void {
  if (!holds) throw new CliError('demo-failed', what);
}
