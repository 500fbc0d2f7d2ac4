import { type Static, Type } from 'typebox';

const Nodes = Type.Object({
  count: Type.Integer(),
  /** The first 20 by name. */
  nodes: Type.Array(Type.String()),
});

/** What a change does to a listener that connected nodes serve. */
export const ListenerImpact = Type.Object({
  /** Its Envoy name. */
  listener: Type.String(),
  /**
   * removed: the nodes are to have it no more. moved: it listens elsewhere. broken: something that it needs is gone
   * then, or was never there.
   */
  effect: Type.Union([Type.Literal('removed'), Type.Literal('moved'), Type.Literal('broken')]),
  /** `it is removed`, `it moves from tcp 0.0.0.0:80 to tcp 0.0.0.0:81`, `nothing gives it cluster app then` */
  detail: Type.String(),
  /** All of the nodes. */
  count: Type.Integer(),
  nodes: Type.Array(Type.String()),
  /** The nodes by what they say of its connections in the last minute. */
  traffic: Type.Object({ carries: Nodes, idle: Nodes, unknown: Nodes }),
  /** Connections open on it now, and opened in the last minute, over all nodes that tell. */
  open: Type.Integer(),
  opened: Type.Integer(),
  /** `listener ingress: it is removed. It carries traffic on 2 nodes (edge-1, edge-2): 3 connections open …` */
  text: Type.String(),
});
export type ListenerImpact = Static<typeof ListenerImpact>;
