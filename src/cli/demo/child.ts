import { type ChildProcess, spawn } from 'node:child_process';
import { openSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { CliError } from '../cli-error.ts';

/** How long something may take to stop before it is killed. */
const STOP_TIMEOUT_MS = 5_000;

/** A program of the demo, with its output in a file. It never outlives this one. */
export class Child {
  readonly name: string;
  readonly logPath: string;
  readonly #process: ChildProcess;
  /** Rejects when the program ends although nobody stopped it. */
  readonly ended: Promise<never>;
  readonly #exit: Promise<void>;
  #stopping = false;

  private constructor(name: string, logPath: string, process: ChildProcess) {
    this.name = name;
    this.logPath = logPath;
    this.#process = process;
    const exit = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<never>();
    const finish = (why: string) => {
      exit.resolve();
      if (!this.#stopping)
        ended.reject(new CliError('demo-failed', `${name} ended: ${why}\n${this.logTail()}`));
    };
    process.once('error', error => finish(error.message));
    process.once('exit', (code, signal) => finish(signal ?? `exit code ${code}`));
    this.#exit = exit.promise;
    this.ended = ended.promise;
    // It may end while nobody waits for it.
    this.ended.catch(() => undefined);
  }

  /** A process group of its own: Ctrl-C reaches the demo alone, which then ends them in order. */
  static start(
    name: string,
    program: string,
    args: readonly string[],
    options: { readonly logPath: string; readonly cwd: string; readonly env: NodeJS.ProcessEnv },
  ): Child {
    const log = openSync(options.logPath, 'w');
    const { cwd, env } = options;
    const child = spawn(program, args, { cwd, env, detached: true, stdio: ['ignore', log, log] });
    const kill = () => child.kill('SIGKILL');
    process.once('exit', kill);
    child.once('exit', () => process.off('exit', kill));
    return new Child(name, options.logPath, child);
  }

  /** Asks it to end, then makes it. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#process.kill('SIGTERM');
    const timeout = new AbortController();
    const killed = delay(STOP_TIMEOUT_MS, undefined, { signal: timeout.signal }).then(
      () => this.#process.kill('SIGKILL'),
      () => undefined,
    );
    await this.#exit;
    timeout.abort();
    await killed;
  }

  /** The last lines it wrote. */
  logTail(): string {
    const lines = readFileSync(this.logPath, 'utf8').trimEnd().split('\n');
    return lines
      .slice(-8)
      .map(line => `  ${this.name}: ${line.slice(0, 300)}`)
      .join('\n');
  }
}
