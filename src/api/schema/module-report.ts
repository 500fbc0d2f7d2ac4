import { Nullable } from './metadata.ts';
import { SignatureView } from './signature-view.ts';
import { TrialView } from './trial-view.ts';
import { type Static, Type } from './type.ts';

const ModuleSymbol = Type.Object({
  kind: Type.String({ description: 'func, memory, table, global' }),
  name: Type.String({ description: '`env.proxy_log` of an import, `proxy_on_configure` of an export' }),
  signature: Nullable(Type.String({ description: '`i32,i32->i32` of a function' })),
});

/** GET /v1/modules/{digest}/report: what is in a module, and what came of trying it. */
export const ModuleReport = Type.Object({
  kind: Type.Literal('ModuleReport'),
  sha256: Type.String(),
  inside: Nullable(
    Type.Object({
      sizeBytes: Type.Integer(),
      abi: Nullable(Type.String()),
      memoryPages: Type.Integer({ description: 'of 64 KiB, that it begins with' }),
      imports: Type.Array(ModuleSymbol),
      exports: Type.Array(ModuleSymbol),
      hasConfigSchema: Type.Boolean({ description: 'it brings a JSON schema of its configuration' }),
    }),
  ),
  revisions: Type.Array(
    Type.Object({
      plugin: Type.String(),
      number: Type.Integer(),
      url: Type.String(),
      layout: Type.String(),
      signature: Nullable(SignatureView),
      trial: Nullable(TrialView),
    }),
  ),
});
export type ModuleReport = Static<typeof ModuleReport>;
