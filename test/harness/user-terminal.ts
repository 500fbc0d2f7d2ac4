import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { JsonObject } from '../../src/model/plugin-spec.ts';
import type { AttacheProcess } from './attache-process.ts';
import { stopAfter } from './cleanup.ts';
import { type Ran, runAttache } from './run-attache.ts';
import { until } from './wait.ts';

const PROGRAM = fileURLToPath(new URL('../../bin/attache', import.meta.url));

/** A verb that goes on for a while. */
export interface RunningVerb {
  /** What it has printed so far, to stdout and to stderr. */
  readonly text: { readonly out: string; readonly err: string };
  /** Its exit code; null: it was ended by a signal. */
  readonly ended: Promise<number | null>;
  /** Until it has printed something that matches. */
  says(what: RegExp): Promise<unknown>;
  interrupt(): void;
  stop(): Promise<void>;
}

/** Where somebody types verbs of the program, talking to one server. */
export class UserTerminal {
  /** Every command line, with what it printed. */
  readonly printed: string[] = [];
  readonly #attache: AttacheProcess;
  #documents = 0;

  constructor(attache: AttacheProcess) {
    this.#attache = attache;
  }

  /** Runs a verb to its end, whatever its exit code. */
  async run(...args: readonly string[]): Promise<Ran> {
    const ran = await runAttache(args, { env: { ATTACHE_SERVER: this.#attache.addresses.api } });
    this.printed.push(`$ attache ${args.join(' ')}\n${ran.out}${ran.err}`);
    return ran;
  }

  /** Starts a verb whose output is no terminal. */
  start(t: TestContext, ...args: readonly string[]): RunningVerb {
    return this.#spawn(t, PROGRAM, args);
  }

  /** The same in a terminal of 40 lines and 140 columns: out and err are one. */
  startInTerminal(t: TestContext, ...args: readonly string[]): RunningVerb {
    return this.#spawn(t, 'python3', ['-c', PTY, PROGRAM, ...args]);
  }

  /** Lays a WasmPlugin document down and gives its path; each call makes a file of its own. */
  write(name: string, spec: JsonObject, metadata: JsonObject = {}): string {
    this.#documents += 1;
    const path = join(this.#attache.folder, `${name}-${this.#documents}.json`);
    const document = {
      apiVersion: 'extensions.istio.io/v1alpha1',
      kind: 'WasmPlugin',
      metadata: { name, ...metadata },
      spec,
    };
    writeFileSync(path, JSON.stringify(document, null, 2));
    return path;
  }

  #spawn(t: TestContext, program: string, args: readonly string[]): RunningVerb {
    // What a test reads has no colours in it.
    const env = { ...process.env, ATTACHE_SERVER: this.#attache.addresses.api, NO_COLOR: '1' };
    const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    const text = { out: '', err: '' };
    child.stdout.setEncoding('utf8').on('data', piece => {
      text.out += piece;
    });
    child.stderr.setEncoding('utf8').on('data', piece => {
      text.err += piece;
    });
    // Not before the last of its output was read.
    const ended = new Promise<number | null>(resolve => {
      child.once('close', code => {
        this.printed.push(`$ attache ${args.join(' ')}\n${text.out}${text.err}`);
        resolve(code);
      });
    });
    return stopAfter(t, {
      text,
      ended,
      says: (what: RegExp) => until(() => what.test(text.out + text.err), { what: `it to say ${what}` }),
      interrupt: () => child.kill('SIGINT'),
      async stop() {
        child.kill('SIGKILL');
        await ended;
      },
    });
  }
}

/** Runs its arguments in a terminal of its own, prints what that shows, and ends with its exit code. */
export const PTY = `
import fcntl, os, pty, struct, sys, termios
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack('HHHH', 40, 140, 0, 0))
while True:
    try:
        piece = os.read(terminal, 65536)
    except OSError:
        break
    if not piece:
        break
    os.write(1, piece)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`;
