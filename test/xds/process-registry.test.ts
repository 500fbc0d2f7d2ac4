import assert from 'node:assert/strict';
import { test } from 'node:test';
import { verifyCapability } from '../../src/model/module-fetch.ts';
import type { NodeIdentity, NodePresence } from '../../src/model/node.ts';
import type { NodeVerdict } from '../../src/model/node-verdict.ts';
import { sha256Hex } from '../../src/model/plugin-spec.ts';
import { capabilityOf, ProcessRegistry } from '../../src/xds/process-registry.ts';

function toNode(id: string, bootstrap: NodeIdentity['bootstrap'] = {}): NodeIdentity {
  return {
    id,
    cluster: '',
    namespace: 'default',
    labels: {},
    zone: '',
    envoyVersion: '1.40.0',
    capabilities: { filterChain: true, wasm: true, failReload: true },
    bootstrap,
  };
}

const A = toNode('a');

function presence(node: NodeIdentity, process: string): NodePresence {
  return { node, process, connected: true, since: 1, firstSeenAt: 1, slots: [], nacks: [] };
}

function verdict(node: string, process: string, slot: string): NodeVerdict {
  const accepted = { contentHash: slot, at: 1, plugins: [] };
  return { node, process, slot, state: 'accepted', since: 1, tried: null, accepted, refused: null };
}

/** Ids `1`, `2` … */
function counter(): () => string {
  let next = 0;
  return () => String(++next);
}

test('a stream that brings no versions begins a new process; one that brings some goes on with the old', () => {
  const registry = new ProcessRegistry();
  const newId = counter();
  const first = registry.attach(A, true, newId);
  assert.equal(first.state.fresh, true);
  registry.detach(first);
  assert.equal(registry.attach(A, false, newId), first);
  registry.detach(first);
  const second = registry.attach(A, true, newId);
  assert.notEqual(second.id, first.id);
  assert.equal(registry.current('a'), second);
});

test('a process nobody knows that brings versions is new to us, but not fresh', () => {
  const process = new ProcessRegistry().attach(A, false, counter());
  assert.equal(process.state.fresh, false);
});

test('a process that has a stream keeps it: a second one with the same node id is another', () => {
  const registry = new ProcessRegistry();
  const newId = counter();
  const first = registry.attach(A, true, newId);
  const second = registry.attach(A, false, newId);
  assert.notEqual(second, first);
  assert.equal(registry.byId(first.id), first);
  assert.equal(registry.current('a'), second);
  registry.detach(first);
  assert.equal(registry.byId(first.id), undefined, "it is not its node's newest");
  assert.equal(registry.byId(second.id), second);
});

test('a process outlives its stream, so that its downloads still count; the one it replaces does not', () => {
  const registry = new ProcessRegistry();
  const newId = counter();
  const first = registry.attach(A, true, newId);
  registry.detach(first);
  assert.equal(registry.byId(first.id), first);
  registry.attach(A, true, newId);
  assert.equal(registry.byId(first.id), undefined);
});

test('nodes do not share processes', () => {
  const registry = new ProcessRegistry();
  const newId = counter();
  const a = registry.attach(A, true, newId);
  const b = registry.attach(toNode('b'), true, newId);
  assert.notEqual(a.id, b.id);
  assert.equal(registry.current('a'), a);
  assert.equal(registry.current('c'), undefined);
});

test('what the bootstrap says of its own slots goes with the process', () => {
  for (const [unanswered, denies] of [
    ['deny', true],
    ['allow', false],
  ] as const)
    assert.equal(
      new ProcessRegistry().attach(toNode('a', { unanswered }), true, counter()).state.bootstrapDenies,
      denies,
    );
});

test('5. after our restart a node that brings versions is the process that the store remembers, with its slots', () => {
  const registry = new ProcessRegistry();
  const verdicts = [verdict('a', 'p1', 'x'), verdict('a', 'p0', 'y'), verdict('b', 'p1', 'z')];
  registry.restore([presence(A, 'p1')], verdicts);
  const process = registry.attach(A, false, counter());
  assert.equal(process.id, 'p1');
  assert.equal(process.connectedBefore, true);
  assert.equal(process.state.fresh, false);
  assert.deepEqual([...process.state.slots.keys()], ['x'], 'not those of another process or node');
  assert.equal(process.state.slots.get('x')?.accepted?.contentHash, 'x');
});

test('5. after our restart an Envoy that was restarted as well is a new process', () => {
  const registry = new ProcessRegistry();
  registry.restore([presence(A, 'p1')], [verdict('a', 'p1', 'x')]);
  const process = registry.attach(A, true, counter());
  assert.notEqual(process.id, 'p1');
  assert.equal(process.connectedBefore, false);
  assert.equal(process.state.slots.size, 0);
});

test("a capability is the process's own, per module, made once, and the module server can tell", () => {
  const key = Buffer.alloc(32, 1);
  const registry = new ProcessRegistry();
  const process = registry.attach(A, true, () => '00000000000000aa');
  const other = registry.attach(toNode('b'), true, () => '00000000000000bb');
  const [m, n] = [sha256Hex('m'), sha256Hex('n')];
  const capability = capabilityOf(process, key, m);
  assert.equal(capabilityOf(process, key, m), capability);
  assert.equal(verifyCapability([key], capability, m)?.process, process.id);
  assert.equal(verifyCapability([key], capability, n), undefined);
  assert.equal(new Set([capability, capabilityOf(process, key, n), capabilityOf(other, key, m)]).size, 3);
});

test('a node that is forgotten comes back as a new one, whatever it brings', () => {
  const registry = new ProcessRegistry();
  const newId = counter();
  const first = registry.attach(A, true, newId);
  registry.detach(first);
  registry.forget('a');
  registry.forget('nobody');
  assert.deepEqual([registry.current('a'), registry.byId(first.id)], [undefined, undefined]);
  const second = registry.attach(A, false, newId);
  assert.notEqual(second.id, first.id);
  assert.equal(second.connectedBefore, false);
});

test('what was proven before our start is proven still', () => {
  const registry = new ProcessRegistry();
  const it = verdict('a', 'p', 's');
  const accepted = {
    contentHash: 's',
    at: 1,
    plugins: [{ plugin: 'default/x', revision: 3 }],
    loaded: ['default/x'],
  };
  registry.restore([presence(A, 'p')], [{ ...it, accepted }]);
  assert.equal(registry.current('a')?.proof.loaded.get('s')?.get('default/x')?.revision, 3);
});
