import { type Static, Type } from './type.ts';

const Nodes = Type.Object({
  count: Type.Integer(),
  nodes: Type.Array(Type.String(), { description: 'The first 20 by name' }),
});

/** What a change does to a listener that connected nodes serve. */
export const ListenerImpact = Type.Object({
  listener: Type.String({ description: 'Its Envoy name' }),
  /**
   * removed: the nodes are to have it no more. moved: it listens elsewhere. broken: something that it needs is gone
   * then, or was never there.
   */
  effect: Type.Union([Type.Literal('removed'), Type.Literal('moved'), Type.Literal('broken')]),
  detail: Type.String({
    description:
      '`it is removed`, `it moves from tcp 0.0.0.0:80 to tcp 0.0.0.0:81`, `nothing gives it cluster app then`',
  }),
  count: Type.Integer({ description: 'All of the nodes' }),
  nodes: Type.Array(Type.String()),
  /** The nodes by what they say of its connections in the last minute. */
  traffic: Type.Object({ carries: Nodes, idle: Nodes, unknown: Nodes }),
  open: Type.Integer({
    description: 'Connections open on it now, and opened in the last minute, over all nodes that tell',
  }),
  opened: Type.Integer(),
  text: Type.String({
    description:
      '`listener ingress: it is removed. It carries traffic on 2 nodes (edge-1, edge-2): 3 connections open …`',
  }),
});
export type ListenerImpact = Static<typeof ListenerImpact>;
