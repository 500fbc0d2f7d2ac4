import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveSlot, type SlotContext } from '../../src/compile/resolve-slot.ts';
import { assign, makePlugin } from './compile-samples.ts';

const ingress = { name: 'ingress', port: 8080, trafficDirection: 'UNSPECIFIED' as const };
const context: SlotContext = {
  layout: 'chain',
  namespace: 'default',
  listeners: [ingress],
  bareListeners: () => [],
};
const plugins = assign([
  makePlugin('a', { priority: 1 }),
  makePlugin('b', { match: [{ ports: [8080] }] }),
  makePlugin('z', { phase: 'AUTHZ' }),
]).wanted;

function resolve(name: string, over: Partial<SlotContext> = {}): [string, string[], boolean] {
  const { layout, revisions, warning } = resolveSlot(name, plugins, { ...context, ...over });
  return [layout, revisions.map(revision => revision.plugin), warning !== undefined];
}

test('a phase on a listener, a bare phase, a plugin, a stranger', () => {
  assert.deepEqual(resolve('attache.authn/ingress'), ['chain', ['default/a', 'default/b'], false]);
  assert.deepEqual(resolve('attache.authn'), ['chain', ['default/a'], true]);
  assert.deepEqual(resolve('attache.authn', { bareListeners: () => [ingress] }), [
    'chain',
    ['default/a', 'default/b'],
    false,
  ]);
  assert.deepEqual(resolve('attache.stats'), ['chain', [], false]);
  assert.deepEqual(resolve('default/z'), ['single', ['default/z'], false]);
  assert.deepEqual(resolve('z'), ['single', ['default/z'], false]);
  assert.deepEqual(resolve('z', { namespace: 'other' }), ['single', [], true]);
  for (const stranger of ['attache.authnx', 'attache', '', '/', 'attache.authn-2'])
    assert.deepEqual(resolve(stranger), ['single', [], true], stranger);
});

test('single layout: one plugin a phase place, and the second is named in the warning', () => {
  const slot = resolveSlot('attache.authn/ingress', plugins, { ...context, layout: 'single' });
  assert.deepEqual(
    slot.revisions.map(revision => revision.plugin),
    ['default/a'],
  );
  assert.match(slot.warning ?? '', /default\/b/);
});
