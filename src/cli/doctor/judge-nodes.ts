import type { NodeView } from '../../api/schema/node-view.ts';
import { toCountText } from '../../model/quantity-text.ts';
import { type Finding, ok, toNameList, warning } from './finding.ts';
import { isTested } from './judge-envoy.ts';

export type NodeReading = Pick<NodeView, 'metadata' | 'status'>;

/** What is wrong with the nodes of a server: a finding for each kind of it, with their names. Pure. */
export function judgeNodes(nodes: readonly NodeReading[]): readonly Finding[] {
  if (nodes.length === 0)
    return [warning('no-nodes', 'no Envoy has ever connected: attache bootstrap --help')];
  const pick = (fits: (status: NodeView['status']) => boolean) =>
    nodes.filter(node => fits(node.status)).map(node => node.metadata.name);
  const connected = pick(status => status.state === 'Connected');
  const lists: readonly (readonly [string, readonly string[], string, string])[] = [
    [
      'nodes-away',
      pick(status => status.state === 'Disconnected'),
      'not connected',
      'see whether they run and reach the xDS port, or forget them with attache delete node',
    ],
    [
      'nodes-silent',
      pick(status => status.silentSince !== null),
      'connected without an answer',
      'look at their load and their log',
    ],
    [
      'nodes-shared',
      pick(status => status.envoys.length > 1),
      'several Envoys of one node.id',
      'give each one of its own',
    ],
    [
      'nodes-without-wasm',
      pick(status => !status.wasm),
      'built without Wasm or V8, so that no plugin runs there',
      'use an official build',
    ],
    [
      'nodes-old',
      pick(status => !isTested(status.envoyVersion)),
      'Envoys older than 1.36, which are not tested',
      'update them',
    ],
    [
      'nodes-without-place',
      pick(hasNoPlace),
      'no place for a plugin that is meant for them',
      'attache describe node says which',
    ],
    ['nodes-refuse', pick(refuses), 'refused something', 'attache describe node says what'],
    [
      'nodes-degraded',
      pick(status => status.worst === 'Degraded'),
      'a plugin fails there',
      'attache describe node says which',
    ],
  ];
  const findings = lists
    .filter(([, names]) => names.length > 0)
    .map(([code, names, what, next]) => warning(code, `${what}: ${toNameList(names)}; ${next}`));
  return [
    ...(connected.length > 0 ? [ok('nodes', `${toCountText(connected.length, 'node')} connected`)] : []),
    ...findings,
  ];
}

function refuses({ worst, refusedResources }: NodeView['status']): boolean {
  return worst === 'Refused' || refusedResources.length > 0;
}

function hasNoPlace({ plugins }: NodeView['status']): boolean {
  return plugins.some(plugin => plugin.reason === 'NoPlace');
}
