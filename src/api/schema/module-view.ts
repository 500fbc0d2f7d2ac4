import { type Static, Type } from 'typebox';
import { Next, Time } from './metadata.ts';
import { SignatureView } from './signature-view.ts';

/** A module that revisions name. */
export const ModuleView = Type.Object({
  kind: Type.Literal('Module'),
  /** Lower-case hex of the bytes. */
  sha256: Type.String(),
  sizeBytes: Type.Integer(),
  abi: Type.String(),
  importCount: Type.Integer(),
  layout: Type.String(),
  /** The URLs it was taken from. */
  from: Type.Array(Type.String()),
  /** Mirrors that it came by, `HOST/REPOSITORY`. */
  mirrors: Type.Array(Type.String()),
  /** `<namespace>/<name>` with the revision numbers that hold it. */
  revisions: Type.Array(Type.Object({ plugin: Type.String(), number: Type.Integer() })),
  /** Whether its bytes are in the data directory. */
  here: Type.Boolean(),
  /** Whether the built-in registry holds it, and so keeps it. */
  inRegistry: Type.Boolean(),
  /**
   * Why its bytes are kept, by revision, the strongest reason of each. live: nodes are to run it; wanted: the document asks for it; node: a node
   * said something of it; history: undo may go back to it; spare: kept only until room is needed. None: deleted a day after its last use.
   */
  heldBy: Type.Array(
    Type.Object({
      plugin: Type.String(),
      revision: Type.Integer(),
      why: Type.Union([
        Type.Literal('live'),
        Type.Literal('wanted'),
        Type.Literal('node'),
        Type.Literal('history'),
        Type.Literal('spare'),
      ]),
    }),
  ),
  /** Connected nodes that run it. */
  nodes: Type.Integer(),
  /** What is known of signatures at each place that it was taken from; none where nothing was asked. */
  signatures: Type.Array(Type.Intersect([Type.Object({ url: Type.String() }), SignatureView])),
  firstSeenAt: Time,
});
export type ModuleView = Static<typeof ModuleView>;

export const ModuleList = Type.Object({
  kind: Type.Literal('ModuleList'),
  items: Type.Array(ModuleView, { description: 'newest first' }),
  next: Next,
  /** Bytes of all that is kept in the module directory, layers and the built-in registry included, and the most that may be. */
  storage: Type.Object({ usedBytes: Type.Integer(), quotaBytes: Type.Integer() }),
});
export type ModuleList = Static<typeof ModuleList>;
