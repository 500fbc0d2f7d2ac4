import { ApplyResult, Metadata, Next } from './metadata.ts';
import { type Static, Type } from './type.ts';

/** Stored credentials of registries. What is secret in it is answered nowhere. */
export const PullSecretView = Type.Object({
  kind: Type.Literal('PullSecret'),
  apiVersion: Type.Literal('attache/v1'),
  metadata: Metadata,
  status: Type.Object({
    registries: Type.Array(Type.String(), {
      description: 'Hosts, or hosts with the begin of a repository, that it has a user for',
    }),
    usedBy: Type.Array(Type.String(), {
      description: 'Plugins, `<namespace>/<name>`, whose imagePullSecret names it',
    }),
  }),
});
export type PullSecretView = Static<typeof PullSecretView>;

export const PullSecretList = Type.Object({
  kind: Type.Literal('PullSecretList'),
  items: Type.Array(PullSecretView, { description: 'by namespace and name' }),
  next: Next,
});
export type PullSecretList = Static<typeof PullSecretList>;

/** The answer to a PUT; `dryRun`: what it would be. */
export const PullSecretApplyAnswer = Type.Intersect([
  PullSecretView,
  Type.Object({ result: ApplyResult, warnings: Type.Array(Type.String()), dryRun: Type.Boolean() }),
]);
export type PullSecretApplyAnswer = Static<typeof PullSecretApplyAnswer>;
