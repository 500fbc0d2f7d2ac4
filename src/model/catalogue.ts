/** A version of something in the built-in registry: a manifest or index that has tags. */
export interface CatalogueItem {
  readonly repository: string;
  /** Newest version first, as far as their names tell. */
  readonly tags: readonly string[];
  /** `sha256:<hex>` of the manifest or index. */
  readonly digest: string;
  readonly mediaType: string;
  readonly artifactType: string | undefined;
  /** Of what a pull brings: the layers, of an index those of the image for Wasm, else of the first. */
  readonly sizeBytes: number;
  /** ms */
  readonly pushedAt: number | undefined;
  /** The annotations of https://specs.opencontainers.org/image-spec/annotations/ that it has. */
  readonly annotations: Readonly<Record<string, string>>;
}

export interface CatalogueQuery {
  /**
   * Words that all must occur, in any case, in the name, a tag or an annotation; `KEY=TEXT` only in that annotation,
   * whose `org.opencontainers.image.` may be left out. Empty: everything.
   */
  readonly text: string;
  readonly limit: number;
}

export interface CataloguePage {
  /** By repository, and there what was pushed last first. */
  readonly items: readonly CatalogueItem[];
  /** How many there are without the limit. */
  readonly total: number;
}

export type SearchCatalogue = (query: CatalogueQuery) => Promise<CataloguePage>;
