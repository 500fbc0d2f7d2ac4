/** What the machine of a server is like, as far as it can make trouble. */
export interface ServerMachine {
  /** Of Node.js: `26.13.1`. */
  readonly runtime: string;
  /** Where the data directory is; null: the file system does not say. */
  readonly disk: { readonly freeBytes: number; readonly totalBytes: number } | null;
}

export type ReadServerMachine = () => Promise<ServerMachine>;

/** The first releases of Node.js with the fixes of its TLS and HTTP/2 of November 2026, by major number. */
const FIXED: Readonly<Record<number, readonly [number, number]>> = { 24: [22, 3], 26: [13, 1] };

/** The release that a runtime lacks the security fixes of; undefined: it has them, or is of a line that we do not know. */
export function findMissingFixes(runtime: string): string | undefined {
  const [major = 0, minor = 0, patch = 0] = runtime.replace(/^v/, '').split('.').map(Number);
  const fixed = FIXED[major];
  // Lines between the two have ended, and get no fixes.
  if (fixed === undefined) return major < 26 ? '26.13.1' : undefined;
  const isOlder = minor < fixed[0] || (minor === fixed[0] && patch < fixed[1]);
  return isOlder ? `${major}.${fixed.join('.')}` : undefined;
}
