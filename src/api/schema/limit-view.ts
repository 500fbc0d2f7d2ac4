import { Nullable, Time } from './metadata.ts';
import { type Static, Type } from './type.ts';

/** GET /v1/limits: the limits of the xDS port, in the order of the configuration page. */
export const LimitList = Type.Object({
  kind: Type.Literal('LimitList'),
  items: Type.Array(
    Type.Object({
      name: Type.String(),
      value: Type.Integer({ description: 'A count, bytes or ms, as `unit` says' }),
      unit: Type.Union([Type.Literal('count'), Type.Literal('bytes'), Type.Literal('ms')]),
      used: Nullable(Type.Integer({ description: 'Now; null: it is not one that is used up' })),
      hits: Type.Integer({ description: 'How often it was hit since the server started' }),
      lastHitAt: Nullable(Time),
      text: Type.String({ description: 'What it bounds' }),
    }),
  ),
});
export type LimitList = Static<typeof LimitList>;
