import type { SchemaName } from '../schema/schemas.ts';

/** What the OpenAPI document says of a route beside what its schemas say. */
export interface Operation {
  /** operationId: what a generated client calls it. */
  readonly id: string;
  /** A line. */
  readonly summary: string;
  /** Codes of problems that are its own; those that follow from its shape are added. */
  readonly problems?: readonly string[];
  /** The component that its body is, where its own parser checks it. */
  readonly body?: SchemaName;
  /** What its stream of events holds, by their names. */
  readonly events?: Readonly<Record<string, SchemaName>>;
  /** A body that it takes. */
  readonly example?: unknown;
}
