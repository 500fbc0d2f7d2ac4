/**
 * The one error class of Attaché. A folder has its own subclass with its own union of codes; a code is stable,
 * listed in docs/errors.md, and mapped to HTTP, gRPC and exit codes in one place each.
 */
export class AttacheError<Code extends string = string> extends Error {
  readonly code: Code;
  /** What the user can do next: one sentence, or nothing. */
  readonly hint: string | undefined;
  /** JSON pointers (RFC 6901) into the document that is at fault, each with its own message. */
  readonly faults: readonly Fault[];

  constructor(
    code: Code,
    message: string,
    options: { cause?: unknown; hint?: string; faults?: readonly Fault[] } = {},
  ) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.hint = options.hint;
    this.faults = options.faults ?? [];
  }
}

/** One fault in a document: where it is and what is wrong there. */
export interface Fault {
  /** RFC 6901 JSON pointer, e.g. `/spec/pluginConf`. */
  readonly pointer: string;
  readonly message: string;
  readonly hint?: string;
}

/**
 * So many faults of a document are told: a hint for each of a hundred thousand takes seconds, in which no Envoy is
 * answered.
 */
export const MOST_FAULTS = 500;

/** Whether no more of them are told. */
export function areFull(faults: readonly Fault[]): boolean {
  return faults.length >= MOST_FAULTS;
}

/** How many there are beside the first one; where some were left out, it says so. */
export function toMoreText(faults: readonly Fault[]): string {
  return `and ${areFull(faults) ? 'at least ' : ''}${faults.length - 1} more`;
}

/** A one-line text for anything that was thrown. */
export function toMessage(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
