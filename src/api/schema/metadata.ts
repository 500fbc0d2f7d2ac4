import { type Static, type TSchema, Type } from './type.ts';

/** RFC 3339 text in UTC with milliseconds. */
export const Time = Type.String({ format: 'date-time', description: 'RFC 3339, UTC' });

/** Absent knowledge is `null`, so that every field is always there. */
export function Nullable<T extends TSchema>(schema: T) {
  return Type.Union([schema, Type.Null()]);
}

/** Of every list: where it goes on. */
export const Next = Nullable(
  Type.String({ description: '`cursor` of the next page; null: this is the last' }),
);

export const JsonObjectSchema = Type.Record(Type.String(), Type.Unknown());

/** The metadata of what a user applies. */
export const Metadata = Type.Object({
  namespace: Type.String(),
  name: Type.String(),
  resourceVersion: Type.String({ description: 'also the ETag; send it back in If-Match' }),
  createdAt: Time,
});
export type Metadata = Static<typeof Metadata>;

/** What a PUT did. `unchanged`: the same document stands already. */
export const ApplyResult = Type.Union([
  Type.Literal('created'),
  Type.Literal('configured'),
  Type.Literal('unchanged'),
]);
export type ApplyResult = Static<typeof ApplyResult>;

/** Milliseconds since the epoch to the text of `Time`. */
export function toTime(ms: number): string {
  return new Date(ms).toISOString();
}
