import { proxy_log } from "./externals";
import { addressOf, encode } from "./memory";

/** Levels as the host numbers them. */
export namespace LogLevel {
  export const debug: i32 = 1;
  export const info: i32 = 2;
  export const warn: i32 = 3;
  export const error: i32 = 4;
  export const critical: i32 = 5;
}

/** A line in the host's log. The only host call that is allowed in top-level code. */
export function log(level: i32, text: string): void {
  const bytes = encode(text);
  proxy_log(level, addressOf(bytes), bytes.byteLength);
}

/** In the place of AssemblyScript's own `abort`, which would be an import that no Envoy knows. */
export function abort(message: string | null, fileName: string | null, line: u32, column: u32): void {
  log(LogLevel.critical, "abort: " + (message ? message : ""));
  unreachable();
}
