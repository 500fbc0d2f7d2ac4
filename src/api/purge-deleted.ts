import { toDecision } from '../model/audit.ts';
import type { PluginSpec } from '../model/plugin-spec.ts';
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
      stored => isLongDeleted(stored.value, fleet.now) && isGone(fleet, stored),
    );
    const known = new Set(fleet.nodes.map(({ node }) => node.id));
    const over = [...fleet.policies.values()].filter(
      // What the server side fixed of a node holds for whoever comes back under its name.
      ({ node, excluded, identity, certificate, revoked, forget, admin, logFile }) =>
        excluded === undefined &&
        identity === undefined &&
        certificate === undefined &&
        revoked === undefined &&
        !known.has(node) &&
        // Nobody forgot it: it has not connected yet, or comes back after a week.
        (forget === undefined
          ? admin === undefined && logFile === undefined
          : forget.at <= fleet.now - HISTORY_MS),
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
  const now = clock.now();
  const [{ records: specs }, { records: policies }] = await Promise.all([
    store.list('PluginSpec'),
    store.list('NodePolicy'),
  ]);
  return policies.length > 0 || specs.some(({ value }) => isLongDeleted(value, now));
}

function isLongDeleted({ deleted }: PluginSpec, now: number): boolean {
  return deleted !== undefined && deleted.at <= now - HISTORY_MS;
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
