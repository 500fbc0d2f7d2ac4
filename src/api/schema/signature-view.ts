import { type Static, Type } from 'typebox';
import { Nullable, Time } from './metadata.ts';

/** What is known of a module's signature; null where none was asked for. */
export const SignatureView = Type.Object({
  state: Type.Union([
    Type.Literal('verified'),
    Type.Literal('unsigned'),
    Type.Literal('failed'),
    Type.Literal('unchecked'),
  ]),
  /** `verified by release`, `not signed: …`, `failed: …`, `not checked: …` */
  text: Type.String(),
  why: Nullable(Type.String()),
  /** What is missing is required. */
  refused: Type.Boolean(),
  by: Type.Array(
    Type.Object({
      /** Null: the key of the plugin's own document. */
      authority: Nullable(Type.String()),
      /** `sha256:<hex>` of the key's DER. */
      fingerprint: Type.String(),
      /** What was signed. */
      signed: Type.Union([Type.Literal('index'), Type.Literal('manifest')]),
      digest: Type.String(),
      format: Type.Union([Type.Literal('simple-signing'), Type.Literal('bundle')]),
    }),
  ),
  checkedAt: Time,
});
export type SignatureView = Static<typeof SignatureView>;
