import { parseRolloutId, type Rollout } from '../model/rollout.ts';
import type { Store } from '../store/store.ts';
import { toUnknownRollout } from './not-found.ts';

/** A rollout among those of its plugin. */
export interface FoundRollout {
  readonly rollout: Rollout;
  /** None came after it. */
  readonly latest: boolean;
}

/** The rollouts of a plugin, newest first. */
export async function listRollouts(store: Store, plugin: string): Promise<readonly Rollout[]> {
  const { records } = await store.list('Rollout', `${plugin}/`);
  return records.map(record => record.value).toReversed();
}

/** `namespace.plugin.number` or `….latest`. Codes: `not-found`. */
export async function findRollout(store: Store, id: string): Promise<FoundRollout> {
  const parsed = parseRolloutId(id);
  const rollouts = parsed === undefined ? [] : await listRollouts(store, parsed.plugin);
  const [latest] = rollouts;
  const rollout =
    parsed?.number === 'latest' ? latest : rollouts.find(({ number }) => number === parsed?.number);
  if (rollout !== undefined) return { rollout, latest: rollout === latest };
  throw toUnknownRollout(id);
}
