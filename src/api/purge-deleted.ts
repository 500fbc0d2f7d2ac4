import { toDecision } from '../model/audit.ts';
import { toNamesText } from '../model/quantity-text.ts';
import type { Operation } from '../store/store.ts';
import { ConflictError } from '../store/store-error.ts';
import { type ApiContext, readNow } from './api-context.ts';
import { isGone } from './fleet.ts';

/** How long the history of a deleted plugin is kept, and undo brings it back. */
export const HISTORY_MS = 72 * 3_600_000;
const INTERVAL_MS = 10 * 60_000;

/**
 * Drops the documents of plugins that were deleted that long ago and are on no connected node; their history goes with
 * them. Also what was said of nodes that are long forgotten. Answers the names of the plugins.
 */
export async function purgeDeleted(context: ApiContext): Promise<readonly string[]> {
  const { store, exclusive } = context;
  return exclusive(async () => {
    if (!(await mayBeDue(context))) return [];
    const fleet = await readNow(context);
    const due = [...fleet.specs.values()].filter(
      stored => (stored.value.deleted?.at ?? fleet.now) <= fleet.now - HISTORY_MS && isGone(fleet, stored),
    );
    const known = new Set(fleet.nodes.map(({ node }) => node.id));
    const over = [...fleet.policies.values()].filter(
      // What the server side fixed of a node holds for whoever comes back under its name.
      ({ node, excluded, identity, certificate, revoked, forget }) =>
        excluded === undefined &&
        identity === undefined &&
        certificate === undefined &&
        revoked === undefined &&
        !known.has(node) &&
        (forget?.at ?? 0) <= fleet.now - HISTORY_MS,
    );
    const operations: Operation[] = [
      ...due.flatMap(({ key, revision }): Operation[] => [
        { op: 'delete', kind: 'PluginSpec', key, expected: revision },
        { op: 'delete', kind: 'RolloutIntent', key },
      ]),
      ...over.map(({ node }): Operation => ({ op: 'delete', kind: 'NodePolicy', key: node })),
    ];
    if (operations.length > 0) {
      const gone = [...due.map(({ key }) => `plugin ${key}`), ...over.map(({ node }) => `node ${node}`)];
      const value = toDecision(fleet.now, {
        action: 'history.purged',
        subject: due[0]?.key ?? over[0]?.node ?? '',
        text: `forgotten for good, deleted long enough: ${toNamesText(gone)}`,
        behalf: undefined,
      });
      await store.transaction([...operations, { op: 'append', kind: 'AuditEntry', value }]);
    }
    return due.map(({ key }) => key);
  });
}

/** Most often nothing is: that is seen without reading the fleet, which is a cost of every start. */
async function mayBeDue({ store, clock }: ApiContext): Promise<boolean> {
  const before = clock.now() - HISTORY_MS;
  const [{ records: specs }, { records: policies }] = await Promise.all([
    store.list('PluginSpec'),
    store.list('NodePolicy'),
  ]);
  const isOld = specs.some(({ value: { deleted } }) => deleted !== undefined && deleted.at <= before);
  return isOld || policies.length > 0;
}

/** Purges now and every ten minutes; the answer ends it and waits for what is under way. */
export function keepDeletedPurged(context: ApiContext): () => Promise<void> {
  const { clock, log } = context;
  let cancel = (): void => {};
  let running: Promise<void> = Promise.resolve();
  let stopped = false;
  const purge = (): void => {
    running = purgeDeleted(context)
      .then(() => {})
      .catch(err => {
        // Somebody was quicker: it is looked at again.
        if (!(err instanceof ConflictError))
          log.warn({ err }, 'deleted plugins could not be purged; trying again');
      })
      .then(() => {
        if (!stopped) cancel = clock.after(INTERVAL_MS, purge);
      });
  };
  purge();
  return () => {
    stopped = true;
    cancel();
    return running;
  };
}
