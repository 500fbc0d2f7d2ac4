import type { Event } from '../../src/model/event.ts';
import type { NodeIdentity, NodePresence } from '../../src/model/node.ts';
import type { NodeVerdict } from '../../src/model/node-verdict.ts';
import { NodeRecorder } from '../../src/xds/node-recorder.ts';
import { type Process, ProcessRegistry } from '../../src/xds/process-registry.ts';
import { FakeClock } from './model/fake-clock.ts';
import type { SlotStory } from './push/slot-story.ts';

export const NODE: NodeIdentity = {
  id: 'edge-1',
  cluster: '',
  namespace: 'default',
  labels: {},
  zone: '',
  envoyVersion: '1.40.0',
  capabilities: { filterChain: true, wasm: true, failReload: true },
  bootstrap: {},
};

/** A recorder, what it wrote in order, and the processes of one node. */
export function setUp(presences: readonly NodePresence[] = [], verdicts: readonly NodeVerdict[] = []) {
  const writes: { kind: string; key: string; value: unknown }[] = [];
  const durable: (() => void)[] = [];
  const clock = new FakeClock();
  let random = 0;
  const recorder = new NodeRecorder(
    {
      put: (kind, key, value) => writes.push({ kind, key, value }),
      delete: (kind, key) => writes.push({ kind, key, value: 'deleted' }),
      afterWrite: callback => durable.push(callback),
    },
    clock,
    () => String(++random),
    presences,
    verdicts,
  );
  const registry = new ProcessRegistry();
  const take = () => writes.splice(0);
  const presence = (): NodePresence | undefined =>
    take().findLast(it => it.kind === 'NodePresence')?.value as NodePresence | undefined;
  const events = (): string[] =>
    take().flatMap(({ kind, value }) => (kind === 'Event' ? [(value as Event).type] : []));
  const attach = (fresh = true): Process => registry.attach(NODE, fresh, () => `p${++random}`);
  return { recorder, registry, clock, take, presence, events, attach, durable };
}

export function withSlots(process: Process, stories: Record<string, SlotStory>): void {
  const slots = Object.entries(stories).map(
    ([name, story]) => [name, { ...story.state, slot: name }] as const,
  );
  process.state = { ...process.state, slots: new Map(slots) };
}
