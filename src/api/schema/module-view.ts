import { Next, Time } from './metadata.ts';
import { SignatureView } from './signature-view.ts';
import { type Static, Type } from './type.ts';

/** A module that revisions name. */
export const ModuleView = Type.Object({
  kind: Type.Literal('Module'),
  sha256: Type.String({ description: 'Lower-case hex of the bytes' }),
  sizeBytes: Type.Integer(),
  abi: Type.String(),
  importCount: Type.Integer(),
  layout: Type.String(),
  from: Type.Array(Type.String(), { description: 'The URLs it was taken from' }),
  mirrors: Type.Array(Type.String(), { description: 'Mirrors that it came by, `HOST/REPOSITORY`' }),
  /** `<namespace>/<name>` with the revision numbers that hold it. */
  revisions: Type.Array(Type.Object({ plugin: Type.String(), number: Type.Integer() })),
  here: Type.Boolean({ description: 'Whether its bytes are in the data directory' }),
  inRegistry: Type.Boolean({ description: 'Whether the built-in registry holds it, and so keeps it' }),
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
  nodes: Type.Integer({ description: 'Connected nodes that run it' }),
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
