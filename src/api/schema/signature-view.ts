import { Nullable, Time } from './metadata.ts';
import { type Static, Type } from './type.ts';

/** What is known of a module's signature; null where none was asked for. */
export const SignatureView = Type.Object({
  state: Type.Union([
    Type.Literal('verified'),
    Type.Literal('unsigned'),
    Type.Literal('failed'),
    Type.Literal('unchecked'),
  ]),
  text: Type.String({ description: '`verified by release`, `not signed: …`, `failed: …`, `not checked: …`' }),
  why: Nullable(Type.String()),
  refused: Type.Boolean({ description: 'What is missing is required' }),
  by: Type.Array(
    Type.Object({
      authority: Nullable(Type.String({ description: "Null: the key of the plugin's own document" })),
      fingerprint: Type.String({ description: "`sha256:<hex>` of the key's DER" }),
      /** What was signed. */
      signed: Type.Union([Type.Literal('index'), Type.Literal('manifest')]),
      digest: Type.String(),
      format: Type.Union([Type.Literal('simple-signing'), Type.Literal('bundle')]),
    }),
  ),
  checkedAt: Time,
});
export type SignatureView = Static<typeof SignatureView>;
