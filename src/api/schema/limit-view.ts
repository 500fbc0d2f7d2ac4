import { type Static, Type } from 'typebox';
import { Nullable, Time } from './metadata.ts';

/** GET /v1/limits: the limits of the xDS port, in the order of the configuration page. */
export const LimitList = Type.Object({
  kind: Type.Literal('LimitList'),
  items: Type.Array(
    Type.Object({
      name: Type.String(),
      /** A count, bytes or ms, as `unit` says. */
      value: Type.Integer(),
      unit: Type.Union([Type.Literal('count'), Type.Literal('bytes'), Type.Literal('ms')]),
      /** Now; null: it is not one that is used up. */
      used: Nullable(Type.Integer()),
      /** How often it was hit since the server started. */
      hits: Type.Integer(),
      lastHitAt: Nullable(Time),
      /** What it bounds. */
      text: Type.String(),
    }),
  ),
});
export type LimitList = Static<typeof LimitList>;
