import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planListeners } from '../../src/api/plan-listeners.ts';
import type { JsonObject } from '../../src/model/plugin-spec.ts';
import type { ResourceSpec } from '../../src/model/resource.ts';
import type { FindReferences, ResourceReference } from '../../src/model/resource-facts.ts';
import { makeSample } from '../model/metric-records.ts';
import { makePresence, NOW } from '../model/records.ts';

type Needs = readonly (readonly [ResourceReference['type'], string])[];

/** `needs` stands for whatever in a resource names others. */
const find: FindReferences = ({ resource }) =>
  ((resource.needs ?? []) as unknown as Needs).map(([type, name]) => ({ type, name, pointer: '' }));

function spec(
  type: string,
  name: string,
  more: JsonObject = {},
  over: Partial<ResourceSpec> = {},
): ResourceSpec {
  return { type, namespace: 'default', name, resource: { name, ...more }, createdAt: 1, ...over };
}

const at = (port: number) => ({ address: { socket_address: { address: '0.0.0.0', port_value: port } } });
const listener = spec('listeners', 'in', { ...at(80), needs: [['routes', 'web']] });
const route = spec('routes', 'web', {
  needs: [
    ['clusters', 'app'],
    ['clusters', 'in-bootstrap'],
  ],
});
const cluster = spec('clusters', 'app');
const all = [listener, route, cluster];

const busy = { '0.0.0.0_80': { opened: 7, open: 2 } };
const idle = { '0.0.0.0_80': { opened: 7, open: 0 } };

function plan(after: readonly ResourceSpec[], before: readonly ResourceSpec[] = all) {
  const nodes = ['busy', 'idle', 'mute'].map(id => {
    const presence = makePresence();
    return { ...presence, node: { ...presence.node, id } };
  });
  const samples = (listeners: typeof busy) => [
    makeSample(NOW - 30_000, { listeners }),
    makeSample(NOW - 1, { listeners }),
  ];
  const fleet = {
    rootNamespace: 'root',
    now: NOW,
    metrics: (node: string) =>
      node === 'mute' ? undefined : { node, process: 'p', samples: samples(node === 'busy' ? busy : idle) },
  };
  const was = before.find(one => !after.includes(one));
  const is = after.find(one => one.type === was?.type && one.name === was.name);
  return planListeners(fleet, nodes, { before, after, was, is }, find);
}

test('a listener that goes is told, with what each node says of its traffic', () => {
  const [removed, ...others] = plan([route, cluster]);
  assert.deepEqual(others, []);
  assert.deepEqual([removed?.effect, removed?.count, removed?.open, removed?.opened], ['removed', 3, 2, 0]);
  assert.deepEqual(removed?.traffic, {
    carries: { count: 1, nodes: ['busy'] },
    idle: { count: 1, nodes: ['idle'] },
    unknown: { count: 1, nodes: ['mute'] },
  });
  assert.equal(
    removed?.text,
    'listener in: it is removed. It carries traffic on 1 node (busy): 2 connections open, 0 opened in the last minute; ' +
      'no connection in the last minute on 1 node (idle); whether it carries traffic is not known of 1 node (mute): no figures came from there',
  );
});

test('another address is a move', () => {
  const [moved] = plan([spec('listeners', 'in', { ...listener.resource, ...at(81) }), route, cluster]);
  assert.deepEqual(
    [moved?.effect, moved?.detail],
    ['moved', 'it moves from tcp 0.0.0.0:80 to tcp 0.0.0.0:81'],
  );
});

test('a route or cluster that a listener needs breaks it when it goes; what was missing before does not', () => {
  assert.deepEqual(
    plan([listener, route]).map(({ effect, detail }) => [effect, detail]),
    [['broken', 'no document gives it cluster app then']],
  );
  assert.deepEqual(
    plan([listener, cluster]).map(({ detail }) => detail),
    ['no document gives it route web then'],
  );
  const needy = spec('listeners', 'in', { ...listener.resource, needs: [['clusters', 'nowhere']] });
  assert.match(plan([needy, route, cluster])[0]?.detail ?? '', /cluster nowhere/);
  assert.deepEqual(plan(all), []);
});

test('a listener that another document gives under the same name stays', () => {
  const heir = spec('listeners', 'heir', listener.resource, { createdAt: 2 });
  assert.deepEqual(plan([heir, route, cluster], [...all, heir]), []);
});

test('only the nodes that lose it are told', () => {
  const narrow = { ...listener, selector: { matchLabels: { app: 'elsewhere' } } };
  assert.equal(plan([narrow, route, cluster])[0]?.count, 3);
});
