import { AttacheError } from '../model/error.ts';

/** The exit codes of every verb (docs and `--help` name the same). */
export const EXIT = {
  done: 0,
  error: 1,
  usage: 2,
  differences: 3,
  /** Rolled back, or held back. */
  refused: 4,
  waitsForPerson: 5,
  timeout: 6,
  /** A conflict, or the data directory is in use. */
  conflict: 7,
} as const;

const BY_CODE: Readonly<Record<string, number>> = {
  'bad-usage': EXIT.usage,
  'bad-config': EXIT.usage,
  'rolled-back': EXIT.refused,
  'held-back': EXIT.refused,
  'check-timeout': EXIT.timeout,
  'wait-timeout': EXIT.timeout,
  conflict: EXIT.conflict,
  'illegal-action': EXIT.conflict,
  'group-in-use': EXIT.conflict,
  'node-connected': EXIT.conflict,
  'revision-mismatch': EXIT.conflict,
  'data-directory-in-use': EXIT.conflict,
  interrupted: 130,
};

/** The exit code for anything that was thrown; what nobody listed is 1. */
export function toExitCode(thrown: unknown): number {
  return (thrown instanceof AttacheError ? BY_CODE[thrown.code] : undefined) ?? EXIT.error;
}

/** Of several outcomes the worst: a refusal outweighs a wait, an error outweighs success. */
export function worstExitCode(codes: readonly number[]): number {
  const order: readonly number[] = [
    EXIT.error,
    EXIT.refused,
    EXIT.conflict,
    EXIT.waitsForPerson,
    EXIT.timeout,
  ];
  return order.find(code => codes.includes(code)) ?? Math.max(EXIT.done, ...codes);
}
