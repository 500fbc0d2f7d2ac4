/** Positions of the first and the last byte. */
export interface ByteRange {
  readonly from: number;
  readonly to: number;
}

/**
 * The single range that a Range header asks for. Undefined: none, several or of another unit, then the whole is the
 * answer; `unsatisfiable`: nothing of it is there, or it ends before it begins.
 * https://www.rfc-editor.org/rfc/rfc9110#section-14.1.2
 */
export function parseByteRange(
  header: string | undefined,
  sizeBytes: number,
): ByteRange | 'unsatisfiable' | undefined {
  const [, first, last] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? '') ?? [];
  if (first === undefined || last === undefined || (first === '' && last === '')) return undefined;
  const range =
    first === ''
      ? { from: Math.max(0, sizeBytes - Number(last)), to: sizeBytes - 1 }
      : { from: Number(first), to: last === '' ? sizeBytes - 1 : Math.min(Number(last), sizeBytes - 1) };
  return range.from > range.to || range.from >= sizeBytes ? 'unsatisfiable' : range;
}
