import type { JsonObject } from '../../src/model/plugin-spec.ts';
import type { ResourceSpec } from '../../src/model/resource.ts';
import type { Chance } from './chance.ts';
import type { NodeFacts } from './envoy-bytes.ts';

/** What an Envoy of a story may be. */
export function rollNode(chance: Chance, number: number, mix: 'chain' | 'single' | 'both'): NodeFacts {
  const layout = mix === 'both' ? chance.pick(['chain', 'single'] as const) : mix;
  return {
    id: `n${String(number).padStart(2, '0')}`,
    labels: { role: chance.is(0.75) ? 'edge' : 'core' },
    zone: chance.pick(['a', 'b', 'c']),
    layout: chance.is(0.03) ? 'none' : layout,
  };
}

const V3 = 'type.googleapis.com/envoy';

/** A listener of every node of the namespace; another `statPrefix` makes it another version. */
export function makeListener(name: string, port: number, statPrefix: string): ResourceSpec {
  const router = {
    name: 'envoy.filters.http.router',
    typed_config: { '@type': `${V3}.extensions.filters.http.router.v3.Router` },
  };
  const manager = {
    '@type': `${V3}.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: statPrefix,
    route_config: { name: 'local', virtual_hosts: [] },
    http_filters: [router],
  };
  const resource: JsonObject = {
    '@type': `${V3}.config.listener.v3.Listener`,
    name,
    address: { socket_address: { address: '127.0.0.1', port_value: port } },
    filter_chains: [{ filters: [{ name: 'http', typed_config: manager }] }],
  };
  return { type: 'listeners', namespace: 'default', name, resource, createdAt: 1 };
}

const SHORT = ['10s', '30s', '1m', '2m'] as const;

/** `spec.rollout` of a document, and `--preset`. */
export function rollRollout(chance: Chance): { rollout?: JsonObject; preset?: string } {
  const document: Record<string, JsonObject[string]> = {};
  const shape = chance.weighted([
    [30, 'none'],
    [20, 'preset'],
    [30, 'steps'],
    [20, 'waves'],
  ] as const);
  if (shape === 'preset') document.preset = chance.pick(['cautious', 'standard', 'fast', 'all-at-once']);
  if (shape === 'steps') document.steps = rollSteps(chance);
  if (shape === 'waves') document.waves = rollWaves(chance);
  if (shape === 'steps' || shape === 'waves') document.bake = chance.pick(SHORT);
  if (chance.is(0.1)) document.onFailure = 'freeze';
  if (chance.is(0.1)) document.maxDisconnected = chance.pick(['5%', '50%', '100%']);
  if (chance.is(0.15)) document.progressDeadline = chance.pick(['20s', '2m', '5m']);
  if (chance.is(0.1)) document.ackTimeout = chance.pick(['5s', '30s']);
  if (chance.is(0.07)) document.gates = [{ name: 'errors', kind: '5xx', max: '5%' }];
  const preset = chance.is(0.1) ? { preset: chance.pick(['fast', 'all-at-once', 'standard'] as const) } : {};
  return Object.keys(document).length === 0 ? preset : { rollout: document, ...preset };
}

function rollSteps(chance: Chance): JsonObject[] {
  const shares = chance.some([10, 20, 35, 50, 75, 100], chance.integer(1, 3)).sort((a, b) => a - b);
  const steps: JsonObject[] = chance.is(0.5)
    ? [{ nodes: chance.integer(1, 3), soak: chance.pick(SHORT) }]
    : [];
  for (const share of shares) {
    if (chance.is(0.12)) steps.push({ pause: chance.pick(['human', '20s', '1m'] as const) });
    steps.push({ share: `${share}%`, ...(chance.is(0.8) ? { soak: chance.pick(SHORT) } : {}) });
  }
  return steps;
}

function rollWaves(chance: Chance): JsonObject[] {
  const zones = chance.some(['a', 'b', 'c'], chance.integer(2, 3));
  return zones.map((zone, index) => ({
    name: `zone-${zone}`,
    ...(index === zones.length - 1 && chance.is(0.3) ? {} : { selector: { zone } }),
    ...(chance.is(0.6) ? { steps: rollSteps(chance) } : {}),
    ...(chance.is(0.25) ? { pause: chance.pick(['human', '30s', '2m'] as const) } : {}),
  }));
}
