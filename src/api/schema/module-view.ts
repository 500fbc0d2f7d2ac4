import { type Static, Type } from 'typebox';
import { Time } from './metadata.ts';
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
  /** `<namespace>/<name>` with the revision numbers that hold it. */
  revisions: Type.Array(Type.Object({ plugin: Type.String(), number: Type.Integer() })),
  /** Connected nodes that run it. */
  nodes: Type.Integer(),
  /** What is known of signatures at each place that it was taken from; none where nothing was asked. */
  signatures: Type.Array(Type.Intersect([Type.Object({ url: Type.String() }), SignatureView])),
  firstSeenAt: Time,
});
export type ModuleView = Static<typeof ModuleView>;

export const ModuleList = Type.Object({ kind: Type.Literal('ModuleList'), items: Type.Array(ModuleView) });
export type ModuleList = Static<typeof ModuleList>;
