import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toOwnNode } from '../../src/model/node-auth.ts';

const spiffe = (name: string) => ({ kind: 'spiffe', name }) as const;

test('without a template a node is the end of its SPIFFE id, or all of another name', () => {
  assert.equal(toOwnNode(spiffe('spiffe://example.org/ns/a/sa/edge-1'), undefined), 'edge-1');
  assert.equal(toOwnNode({ kind: 'dns', name: 'edge-1.example.org' }, undefined), 'edge-1.example.org');
  assert.equal(toOwnNode({ kind: 'cn', name: 'a/b' }, undefined), 'a/b');
});

test('with a template a name that differs elsewhere is of no node', () => {
  const template = 'spiffe://example.org/node/{id}';
  assert.equal(toOwnNode(spiffe('spiffe://example.org/node/edge-1'), template), 'edge-1');
  assert.equal(toOwnNode(spiffe('spiffe://example.org/node/a/edge-1'), template), 'a/edge-1');
  for (const name of [
    'spiffe://evil.org/node/edge-1',
    'spiffe://example.org/node/',
    'spiffe://exampleXorg/node/edge-1',
  ])
    assert.equal(toOwnNode(spiffe(name), template), undefined, name);
  assert.equal(toOwnNode({ kind: 'dns', name: 'edge-1.nodes.example' }, '{id}.nodes.example'), 'edge-1');
  assert.equal(
    toOwnNode({ kind: 'dns', name: 'edge-1.nodes.example.evil' }, '{id}.nodes.example'),
    undefined,
  );
  assert.equal(toOwnNode({ kind: 'dns', name: 'aa' }, 'a{id}aa'), undefined, 'its parts do not overlap');
});
