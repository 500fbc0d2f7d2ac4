import type { TestContext } from 'node:test';
import { startSnapshotReconciler } from '../../src/compile/snapshot-reconciler.ts';
import type { NodeIdentity } from '../../src/model/node.ts';
import type { Log } from '../../src/model/ports.ts';
import type { Snapshot } from '../../src/model/snapshot.ts';
import { LiveTable } from '../../src/store/live-table.ts';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import { revisionKey } from '../../src/store/record-kinds.ts';
import type { Store } from '../../src/store/store.ts';
import { makeAssignment, makeNode, makePresence, makeRevision, registry } from './compile-samples.ts';

/** For resources without secrets. */
const noSeal = { open: () => undefined };

/** A store, the table the reconciler fills, and every change of it since the start. */
export function setUp(t: TestContext, store: Store = createMemoryStore()) {
  const snapshots = new LiveTable<Snapshot>();
  const changed: string[] = [];
  const lines: string[] = [];
  const log: Log = {
    debug() {},
    info() {},
    warn: (_, line) => lines.push(line),
    error: (_, line) => lines.push(line),
  };
  snapshots.watch(key => changed.push(key));
  /** `comesBack`: every known node asks for its snapshot, as one does that connects. */
  const start = async ({ comesBack = true } = {}) => {
    const clock = { now: () => 0, after: () => () => {} };
    const modules = { host: '127.0.0.1', port: 1, speaks: 'plain' } as const;
    const rootNamespace = 'istio-system';
    const options = { store, snapshots, modules, clock, log, rootNamespace, registry, seal: noSeal };
    const reconciler = await startSnapshotReconciler(options);
    t.after(() => reconciler.stop());
    const { records } = await store.list('NodePresence');
    if (comesBack) for (const { key } of records) snapshots.get(key);
    return reconciler;
  };
  t.after(() => store.close());
  const putNode = (node: NodeIdentity, over = {}) =>
    store.put('NodePresence', node.id, makePresence(node, over));
  const putPlugin = async (number: number | null, config = {}) => {
    if (number !== null) {
      await store.put('Revision', revisionKey('default/auth', number), makeRevision({ number, config }));
    }
    await store.put('Assignment', 'default/auth', makeAssignment(number));
  };
  return { store, snapshots, changed, lines, start, putNode, putPlugin };
}

/** The reconciler has taken in everything that was written before, shown by a node of its own. */
export async function settle({ putNode, snapshots }: ReturnType<typeof setUp>, id: string): Promise<void> {
  const arrived = new Promise<void>(resolve => {
    const stop = snapshots.watch(key => {
      if (key !== id) return;
      stop();
      resolve();
    });
  });
  await putNode(makeNode({ id, namespace: `of-${id}` }));
  await arrived;
}

/** Of the plugin in phase AUTHN. */
export const revisionIn = (snapshot: Snapshot | undefined) =>
  snapshot?.slot('attache.authn').wanted.plugins[0]?.revision;
