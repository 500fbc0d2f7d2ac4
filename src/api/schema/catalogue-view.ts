import { Next, Nullable, Time } from './metadata.ts';
import { type Static, Type } from './type.ts';

/** A version of something in the built-in registry: a manifest or index that has tags. */
export const CatalogueItemView = Type.Object({
  kind: Type.Literal('CatalogueItem'),
  repository: Type.String(),
  tags: Type.Array(Type.String(), { description: 'Newest version first, as far as their names tell' }),
  digest: Type.String({ description: 'sha256:<hex> of the manifest or index' }),
  mediaType: Type.String(),
  artifactType: Nullable(Type.String()),
  sizeBytes: Type.Integer({ description: 'of what a pull brings' }),
  pushedAt: Nullable(Time),
  /** Those of org.opencontainers.image that it has, by their full names. */
  annotations: Type.Record(Type.String(), Type.String()),
});
export type CatalogueItemView = Static<typeof CatalogueItemView>;

export const CatalogueList = Type.Object({
  kind: Type.Literal('CatalogueList'),
  items: Type.Array(CatalogueItemView),
  next: Next,
  total: Type.Integer({ description: 'how many there are on all pages' }),
});
export type CatalogueList = Static<typeof CatalogueList>;
