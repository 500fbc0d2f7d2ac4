import { execFile } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('../../bin/attache', import.meta.url));

/** What a command line printed, and how it ended. */
export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs `bin/attache` to its end, whatever its exit code; `env` is added to ours, without our own settings; `stdin` is a file. */
export function runAttache(
  args: readonly string[],
  options: {
    readonly env?: Readonly<Record<string, string>>;
    readonly cwd?: string;
    readonly stdin?: string;
  } = {},
): Promise<Ran> {
  const env = { ...process.env, ATTACHE_SERVER: '', ...options.env };
  return new Promise(resolve => {
    const child = execFile(PROGRAM, args, { env, cwd: options.cwd }, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), out, err });
    });
    if (options.stdin !== undefined && child.stdin !== null)
      createReadStream(options.stdin).pipe(child.stdin);
  });
}
