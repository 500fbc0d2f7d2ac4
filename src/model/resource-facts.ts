import type { ResourceSpec } from './resource.ts';

/** What one resource needs of others, by the names that Envoy knows them by. */
export interface ResourceReference {
  /** The type of what is needed. */
  readonly type: 'clusters' | 'endpoints' | 'routes' | 'secrets';
  readonly name: string;
  /** JSON pointer of the first place that names it, into `resource`. */
  readonly pointer: string;
}

/**
 * The resources that a document's resource names and that xDS would bring: clusters wherever Envoy's API has one, routes,
 * endpoints and secrets that are asked for over ADS. Each once. Filled by compile, used by api.
 */
export type FindReferences = (spec: ResourceSpec) => readonly ResourceReference[];
