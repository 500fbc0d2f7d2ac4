import { Result } from './trial-protocol.ts';

/** Host functions by name, without the prefix. i32 come as unsigned numbers, i64 as bigint. */
export type HostCalls = Readonly<Record<string, (...args: never[]) => number | undefined>>;

export function toResult(isDone: boolean): number {
  return isDone ? Result.ok : Result.invalidMemoryAccess;
}
