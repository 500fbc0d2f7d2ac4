import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { endChild, spawnChild } from '../harness/child-process.ts';
import { PTY } from '../harness/user-terminal.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** What a command printed, and how it ended. */
export interface Typed {
  /** -1: it was ended because it took too long. */
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A command that goes on in a terminal of its own. */
export interface Running {
  readonly text: { readonly out: string; readonly err: string };
  readonly hasEnded: () => boolean;
  /** With all that it printed. */
  readonly ended: Promise<Typed>;
  stop(): Promise<void>;
}

export interface TypeOptions {
  /** Added to what the desk has. */
  readonly env?: Readonly<Record<string, string>>;
  /** As a person sees it, drawn over and over; err is in out. Otherwise its output is a pipe. */
  readonly inTerminal?: boolean;
  /** What takes longer is ended. */
  readonly limitMs?: number;
}

/** Where somebody types what the stories show: an empty folder, `attache` and `envoy` on the PATH, a real shell. */
export class Desk {
  readonly folder = mkdtempSync(join(tmpdir(), 'attache-replay-'));
  readonly env: Record<string, string>;
  /** Names of the story, and what stands for them here. */
  readonly names: [RegExp, string][];
  readonly #running = new Set<Running>();

  constructor(options: {
    /** Path of the program. */
    readonly envoy: string;
    readonly names: [RegExp, string][];
    readonly env: Record<string, string>;
  }) {
    this.names = options.names;
    this.#writeProgram('attache', `exec ${join(ROOT, 'bin/attache')} "$@"`);
    // Several run on this machine: none may take the place of another.
    const flags = '--use-dynamic-base-id --concurrency 1 --log-level error';
    this.#writeProgram('envoy', `exec ${options.envoy} "$@" ${flags}`);
    this.env = {
      ...process.env,
      PATH: `${join(this.folder, '.bin')}:${process.env.PATH}`,
      HOME: this.folder,
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(tmpdir(), 'attache-compile-cache'),
      NO_COLOR: '1',
      ...options.env,
    };
  }

  write(name: string, content: string | Uint8Array): string {
    const path = join(this.folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    return path;
  }

  /** A text of a story with the names of here. */
  localize(text: string): string {
    return this.names.reduce((all, [pattern, own]) => all.replace(pattern, own), text);
  }

  /** Types a command, and waits for its end. `env` holds for it alone. */
  async type(command: string, { limitMs = 100_000, ...how }: TypeOptions = {}): Promise<Typed> {
    const running = this.start(command, how);
    const timer = setTimeout(() => void running.stop(), limitMs);
    const typed = await running.ended;
    clearTimeout(timer);
    return typed;
  }

  /** As `type`; throws unless it ends with 0. For what a story takes for granted. */
  async must(command: string, env: Record<string, string> = {}): Promise<Typed> {
    const typed = await this.type(command, { env });
    if (typed.code !== 0) throw new Error(`${command}: exit ${typed.code}\n${typed.out}${typed.err}`);
    return typed;
  }

  start(command: string, { env = {}, inTerminal = false }: TypeOptions = {}): Running {
    const line = ['bash', '-c', this.localize(command)];
    const [program = '', ...args] = inTerminal ? ['python3', '-c', PTY, ...line] : line;
    const { child, ended } = spawnChild(program, args, {
      cwd: this.folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...this.env, ...env },
    });
    const text = { out: '', err: '' };
    child.stdout?.setEncoding('utf8').on('data', piece => {
      text.out += piece;
    });
    child.stderr?.setEncoding('utf8').on('data', piece => {
      text.err += piece;
    });
    let isOver = false;
    const closed = new Promise<void>(resolve => child.once('close', () => resolve()));
    const running: Running = {
      text,
      hasEnded: () => isOver,
      ended: Promise.all([ended, closed]).then(([{ code }]) => {
        isOver = true;
        this.#running.delete(running);
        return { code: code ?? -1, out: plain(text.out), err: plain(text.err) };
      }),
      stop: async () => {
        await endChild({ child, ended }, 10_000);
      },
    };
    this.#running.add(running);
    return running;
  }

  /** Ends what still runs, the newest first. */
  async close(): Promise<void> {
    for (const running of [...this.#running].reverse()) await running.stop();
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  #writeProgram(name: string, script: string): void {
    chmodSync(this.write(`.bin/${name}`, `#!/bin/sh\n${script}\n`), 0o755);
  }
}

/** Without what moves the cursor of a terminal. */
function plain(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what it looks for.
  return text.replace(/\u001b\[[0-9;?]*[A-Za-z]|\r/g, '');
}
