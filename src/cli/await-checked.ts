import { setTimeout as delay } from 'node:timers/promises';
import type { PluginApplyAnswer, PluginView, RevisionList } from '../api/schema/plugin-view.ts';
import type { RolloutView } from '../api/schema/rollout-view.ts';
import { toMessage } from '../model/error.ts';
import type { AppliedPlugin } from './apply-report.ts';
import { CliError } from './cli-error.ts';
import { readMinorVersions } from './node-versions.ts';
import { pollUntil } from './poll.ts';
import { isServerAway, type RestClient, RestError, toPath } from './rest-client.ts';
import { isBeforeRollout } from './rollout/rollout-target.ts';

/** How long an `apply` waits for the module to be fetched and checked. */
const CHECK_TIMEOUT_MS = 60_000;
/** A source that does not answer is told after a few tries; the server goes on trying. */
const RETRYING_PATIENCE_MS = 10_000;
const RETRY_MS = 500;

/**
 * Waits until a plugin that was applied is checked and its rollout made, or the time for it is over. A server that goes
 * away meanwhile is waited for, and `tell` is told: what it took, it has. Throws CliError `check-timeout`.
 */
export async function awaitChecked(
  client: RestClient,
  path: string,
  answer: PluginApplyAnswer,
  tell: (line: string) => void,
  timeoutMs = CHECK_TIMEOUT_MS,
): Promise<AppliedPlugin> {
  const deadline = performance.now() + timeoutMs;
  let lost = false;
  for (;;) {
    try {
      return await readChecked(client, path, answer, deadline - performance.now());
    } catch (error) {
      if (!isServerAway(error)) throw error;
      const { namespace, name } = answer.metadata;
      if (performance.now() >= deadline)
        throw new CliError('check-timeout', `${namespace}/${name} is stored, and then: ${toMessage(error)}`);
      if (!lost) tell(`lost ${client.server}, trying again; ${namespace}/${name} is stored`);
      lost = true;
      await delay(RETRY_MS);
    }
  }
}

async function readChecked(
  client: RestClient,
  path: string,
  answer: PluginApplyAnswer,
  timeoutMs: number,
): Promise<AppliedPlugin> {
  const startedAt = performance.now();
  const isAnswered = (view: PluginView): boolean => {
    const { phase, code } = view.status;
    const isRetrying = phase === 'Validating' && code !== null;
    if (isRetrying) return performance.now() - startedAt > RETRYING_PATIENCE_MS;
    return phase !== 'Validating' && !isBeforeRollout(view);
  };
  const ask = () => client.get<PluginView>(path);
  const { answer: view } = await pollUntil(ask, isAnswered, timeoutMs);
  const { items } = await client.get<RevisionList>(`${path}/revisions`);
  const { rollout, desiredRevision } = view.status;
  return {
    result: answer.result,
    view,
    revision: items.find(({ number }) => number === desiredRevision),
    envoyVersions: await readMinorVersions(client, view),
    rollout: rollout === null ? undefined : await findRollout(client, rollout.id),
    before: answer.status.rollout,
  };
}

async function findRollout(client: RestClient, id: string): Promise<RolloutView | undefined> {
  try {
    return await client.get<RolloutView>(toPath('v1', 'rollouts', id));
  } catch (error) {
    if (error instanceof RestError && error.status === 404) return undefined;
    throw error;
  }
}
