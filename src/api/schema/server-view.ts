import { Nullable, Time } from './metadata.ts';
import { RoleWord, TokenView } from './token-view.ts';
import { type Static, Type } from './type.ts';

/** GET /: what is where. */
export const Index = Type.Object({
  name: Type.String(),
  version: Type.String(),
  paths: Type.Record(Type.String(), Type.String()),
  /** Where Envoys find us, `HOST:PORT`: what `attache bootstrap` writes. */
  addresses: Type.Optional(Type.Object({ xds: Type.String(), modules: Type.String() })),
  /** What Envoys need beside that. */
  envoys: Type.Object({
    /** Ports that speak TLS. */
    tls: Type.Array(Type.Union([Type.Literal('xds'), Type.Literal('modules')])),
    /** How an Envoy proves which node it is. */
    nodeAuth: Type.Union([Type.Literal('none'), Type.Literal('mtls'), Type.Literal('token')]),
  }),
});
export type Index = Static<typeof Index>;

export const VersionView = Type.Object({ version: Type.String() });
export type VersionView = Static<typeof VersionView>;

/** GET /v1/server: what there is to know of the machine that it runs on. */
export const ServerView = Type.Object({
  kind: Type.Literal('Server'),
  version: Type.String(),
  runtime: Type.String({ description: 'Of Node.js: `26.13.1`' }),
  startedAt: Time,
  /** By its own clock. */
  time: Time,
  /** Where the data directory is; null: the file system does not say. */
  disk: Nullable(Type.Object({ freeBytes: Type.Integer(), totalBytes: Type.Integer() })),
});
export type ServerView = Static<typeof ServerView>;

/** Who asks, and what they may. */
export const WhoAmI = Type.Object({
  name: Type.String(),
  role: RoleWord,
  how: Type.String({ description: '`no token needed`, or which token' }),
  plugins: TokenView.properties.plugins,
  nodes: TokenView.properties.nodes,
  expiresAt: TokenView.properties.expiresAt,
});
export type WhoAmI = Static<typeof WhoAmI>;

export const Health = Type.Object({
  status: Type.Literal('ok'),
  /** What is to be done before it is too late: certificates that expire. */
  warnings: Type.Optional(Type.Array(Type.String())),
});
export type Health = Static<typeof Health>;
