import { setTimeout as delay } from 'node:timers/promises';
import type { PluginView } from '../../api/schema/plugin-view.ts';
import type { RolloutView } from '../../api/schema/rollout-view.ts';
import { AttacheError } from '../../model/error.ts';
import { parseRolloutId } from '../../model/rollout.ts';
import { CliError } from '../cli-error.ts';
import { withNearestPlugin } from '../nearest.ts';
import { isServerAway, type RestClient, RestError, toPath } from '../rest-client.ts';
import { parseName } from '../target.ts';

const CHECK_EVERY_MS = 200;

/** A rollout as typed: by its id, or by the plugin whose newest one is meant. */
export interface RolloutTarget {
  /** `<namespace>/<name>` */
  readonly plugin: string;
  /** `namespace.plugin.number`; by name the number is `latest`. */
  readonly id: string;
  readonly byName: boolean;
}

/** NAME, NAMESPACE/NAME or a rollout's id. Throws CliError `bad-usage`. */
export function parseRolloutTarget(text: string, namespace: string | undefined): RolloutTarget {
  const id = text.includes('/') ? undefined : parseRolloutId(text);
  if (id !== undefined) return { plugin: id.plugin, id: text, byName: id.number === 'latest' };
  const named = parseName(text, namespace);
  return toTarget(named);
}

/** The newest rollout of a plugin. */
export function toTarget({ namespace, name }: { namespace: string; name: string }): RolloutTarget {
  return { plugin: `${namespace}/${name}`, id: `${namespace}.${name}.latest`, byName: true };
}

/** The path of a plugin by `<namespace>/<name>`. */
export function pluginPath(plugin: string): string {
  return toPath('v1', 'plugins', ...plugin.split('/'));
}

/** Reads one rollout; where the plugin is not known, the error says that, and names the nearest. */
export async function readRollout(
  client: RestClient,
  { id, plugin, byName }: RolloutTarget,
): Promise<RolloutView> {
  try {
    return await client.get<RolloutView>(toPath('v1', 'rollouts', id));
  } catch (error) {
    if (!(error instanceof RestError) || error.code !== 'not-found') throw error;
    // Where there is no such plugin, this is the error.
    await withNearestPlugin(client, plugin, () => client.get<PluginView>(pluginPath(plugin)));
    if (!byName) throw error;
    throw new AttacheError(error.code, `${plugin} has no rollout yet`, { cause: error });
  }
}

/**
 * Reads one rollout again and again; by name it goes over to the next one where a newer took over, else it stays with
 * the one it began with.
 */
export function createRolloutReader(client: RestClient, target: RolloutTarget): () => Promise<RolloutView> {
  let current = target;
  return async () => {
    const view = await readRollout(client, current);
    current = { ...target, id: view.id };
    if (!target.byName || view.phase !== 'Superseded') return view;
    const newest = await readRollout(client, target);
    current = { ...target, id: newest.id };
    return newest;
  };
}

/**
 * Waits while the newest document of a plugin is only being checked: until then its newest rollout is about what was
 * before. A server that goes away meanwhile is waited for. Throws CliError `check-timeout`.
 */
export async function awaitRollout(
  client: RestClient,
  target: RolloutTarget,
  timeoutMs = Number.POSITIVE_INFINITY,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  let view = await findPlugin(client, target.plugin);
  while (view !== undefined && isBeforeRollout(view)) {
    if (performance.now() >= deadline) throw toCheckTimeout(view);
    await delay(CHECK_EVERY_MS);
    try {
      view = await findPlugin(client, target.plugin);
    } catch (error) {
      if (!isServerAway(error)) throw error;
    }
  }
}

/** Throws CliError `check-timeout` where the newest document is only being checked. */
export async function expectRollout(client: RestClient, target: RolloutTarget): Promise<void> {
  await awaitRollout(client, target, 0);
}

function toCheckTimeout({ metadata, status }: PluginView): CliError {
  const why = status.message === null ? '' : `: ${status.message}`;
  return new CliError(
    'check-timeout',
    `${metadata.namespace}/${metadata.name} is still being checked${why}; its rollout begins after that`,
  );
}

/** The module is being fetched or checked, or the rollout is about to be made. */
export function isBeforeRollout({ status }: PluginView): boolean {
  const active = status.rollout?.active ?? false;
  return !active && (status.phase === 'Validating' || status.phase === 'Progressing');
}

async function findPlugin(client: RestClient, plugin: string): Promise<PluginView | undefined> {
  try {
    return await client.get<PluginView>(pluginPath(plugin));
  } catch (error) {
    if (error instanceof RestError && error.status === 404) return undefined;
    throw error;
  }
}
