import type { GrowthWorld, Reach, Work } from './growth-world.ts';

/** Something that happens to a fleet at rest; answers what it cost. */
export type Measure = (world: GrowthWorld) => Promise<Work>;

/** What people do, for whom they choose. */
const DOCUMENTS: Readonly<Record<string, (reach: Reach) => Measure>> = {
  'a plugin is added': reach => world => world.measure(() => world.applyPlugin('added', reach)),
  'a plugin is configured anew': reach => async world => {
    await world.measure(() => world.applyPlugin('changed', reach));
    return world.measure(() => world.applyPlugin('changed', reach));
  },
  'a plugin is removed': reach => async world => {
    await world.measure(() => world.applyPlugin('removed', reach));
    return world.measure(() => world.removePlugin('removed'));
  },
  'a resource is added': reach => world => world.measure(() => world.putCluster('added', reach)),
  'a resource is changed': reach => async world => {
    await world.measure(() => world.putCluster('changed', reach));
    return world.measure(() => world.putCluster('changed', reach));
  },
};

/** What happens to one node, in an order in which none spoils the next. */
const NODE_EVENTS: Readonly<Record<string, Measure>> = {
  'a node connects': world => world.measure(() => world.addEnvoy()),
  'a node reconnects': world => world.measure(() => world.first.reconnect()),
  'a node refuses what it is sent': async world => {
    await world.measure(() => world.applyPlugin('refused', 'one'));
    world.first.refuses = { plugin: 'default/refused', revision: 2 };
    return world.measure(() => world.applyPlugin('refused', 'one'));
  },
  'a node comes back with other labels': world => world.measure(() => world.first.reconnect({ group: '1' })),
};

/** Changes that touch one node. */
export const OF_ONE_NODE: ReadonlyMap<string, Measure> = new Map([
  ...Object.entries(DOCUMENTS).map(([name, to]) => [`${name} for one node`, to('one')] as const),
  ...Object.entries(NODE_EVENTS),
]);

export const OF_ANY: ReadonlyMap<string, Measure> = new Map([
  ...OF_ONE_NODE,
  ...Object.entries(DOCUMENTS).flatMap(([name, to]) => [
    [`${name} for every node`, to('all')] as const,
    [`${name} for a group`, to(1)] as const,
  ]),
]);
