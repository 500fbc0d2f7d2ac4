import { type Static, Type } from 'typebox';
import { RoleWord, TokenView } from './token-view.ts';

/** GET /: what is where. */
export const Index = Type.Object({
  name: Type.String(),
  version: Type.String(),
  paths: Type.Record(Type.String(), Type.String()),
  /** Where Envoys find us, `HOST:PORT`: what `attache bootstrap` writes. */
  addresses: Type.Optional(Type.Object({ xds: Type.String(), modules: Type.String() })),
});
export type Index = Static<typeof Index>;

export const VersionView = Type.Object({ version: Type.String() });
export type VersionView = Static<typeof VersionView>;

/** Who asks, and what they may. */
export const WhoAmI = Type.Object({
  name: Type.String(),
  role: RoleWord,
  /** `no token needed`, or which token. */
  how: Type.String(),
  plugins: TokenView.properties.plugins,
  nodes: TokenView.properties.nodes,
  expiresAt: TokenView.properties.expiresAt,
});
export type WhoAmI = Static<typeof WhoAmI>;

export const Health = Type.Object({ status: Type.Literal('ok') });
export type Health = Static<typeof Health>;
