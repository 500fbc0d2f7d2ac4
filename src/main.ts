import { createHash } from 'node:crypto';
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import type { WriteStream } from 'node:tty';
import { fileURLToPath } from 'node:url';
import { CommanderError } from 'commander';
import { askHidden } from './cli/ask-hidden.ts';
import type { CommandContext, CommandPorts } from './cli/command-context.ts';
import { EXIT, toExitCode } from './cli/exit-code.ts';
import { withoutHelpVerb } from './cli/help-words.ts';
import { formatError } from './cli/print-error.ts';
import { createProgram } from './cli/program.ts';
import type { Log } from './model/ports.ts';
import { clock, random, readVersion } from './system.ts';

/** Runs one command line (without node and script); resolves to the exit code. Never throws. */
export async function main(given: readonly string[], context: CommandContext): Promise<number> {
  let code: number = EXIT.usage;
  const verb = given[0] === 'help' ? given[1] : given[0];
  try {
    const finish = (result: number) => {
      code = result;
    };
    const program = await createProgram(context, finish, ({ name }) => name === verb);
    await program.parseAsync(withoutHelpVerb(program, given), { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    context.err(formatError(error, Date.now()));
    return toExitCode(error);
  }
}

const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** The real world: this process. */
export function createContext(): CommandContext {
  return {
    env: process.env,
    version: readVersion(),
    out: text => process.stdout.write(`${text}\n`),
    err: text => process.stderr.write(`${text}\n`),
    ...(isDrawable(process.stdout) ? { screen: createScreen(process.stdout) } : {}),
    ...(isDrawable(process.stderr) ? { errScreen: createScreen(process.stderr) } : {}),
    onSignal(listener) {
      for (const signal of STOP_SIGNALS) process.on(signal, listener);
      return () => {
        for (const signal of STOP_SIGNALS) process.off(signal, listener);
      };
    },
    ...(process.stdin.isTTY && process.stderr.isTTY ? { askHidden } : {}),
    exitNow: code => process.exit(code),
    ports: createPorts(),
  };
}

function isDrawable({ isTTY }: WriteStream): boolean {
  return isTTY && process.env.TERM !== 'dumb';
}

/** The size is asked for at every drawing: a window can be resized; a terminal that does not know it says 0. */
function createScreen(terminal: WriteStream): NonNullable<CommandContext['screen']> {
  return {
    get columns() {
      return terminal.columns || 80;
    },
    get rows() {
      return terminal.rows || 24;
    },
    // https://no-color.org
    hasColour: !process.env.NO_COLOR,
    write: text => terminal.write(text),
  };
}

function createPorts(): CommandPorts {
  return {
    async startControlPlane(config, log) {
      const { importQuickly } = await import('./own-modules.ts');
      const { startControlPlane } = await importQuickly(() => import('./control-plane.ts'));
      return startControlPlane(config, log);
    },
    async createLog(level) {
      const { pino, destination } = await import('pino');
      const { formatLogLine } = await import('./cli/log-line.ts');
      // A type with an index signature looks like a promise to the compiler: Log has none.
      const log: Log = process.stderr.isTTY
        ? pino({ level }, { write: line => process.stderr.write(formatLogLine(line)) })
        : pino({ level }, toLasting(destination({ fd: 2, sync: true, maxLength: MOST_WAITING })));
      return log;
    },
    async pushModule(request) {
      const { pushModule } = await import('./module/push-module.ts');
      return pushModule(request);
    },
    async pullModule(request) {
      const { pullModule } = await import('./module/pull-module.ts');
      return pullModule({ ...request, random });
    },
    async inspectReference(request) {
      const { inspectReference } = await import('./module/inspect-module.ts');
      return inspectReference({ ...request, random });
    },
    async inspectFile(path) {
      const { inspectFile } = await import('./module/inspect-module.ts');
      return inspectFile(path);
    },
    async checkFile(request) {
      const { checkFile } = await import('./module/check-file.ts');
      return checkFile({ ...request, clock });
    },
    async tagArtifact(request) {
      const { tagArtifact } = await import('./module/tag-artifact.ts');
      return tagArtifact(request);
    },
    async logIn(request) {
      const { logIn } = await import('./module/registry-login.ts');
      return logIn(request);
    },
    async logOut(path, host) {
      const { eraseLogin } = await import('./module/docker-login.ts');
      return eraseLogin(path, host);
    },
    async runPlugin(bytes, plan) {
      const { runPlugin } = await import('./module/trial/stream/run-plugin.ts');
      return runPlugin(bytes, plan, clock, new AbortController().signal);
    },
    async checkBackup(path) {
      const { checkBackup } = await import('./backup/read-backup.ts');
      return checkBackup(path);
    },
    async restoreBackup(path, directory) {
      const { restoreBackup } = await import('./backup/restore-backup.ts');
      return restoreBackup(path, directory);
    },
    async buildPlugin(name) {
      // The published package has them built; in a clone they are built from what is in plugins/.
      const ready = new URL(`./plugins/${name}.wasm`, import.meta.url);
      if (existsSync(ready)) {
        const bytes = readFileSync(ready);
        return { bytes, sha256: createHash('sha256').update(bytes).digest('hex') };
      }
      const build: { buildPlugin: CommandPorts['buildPlugin'] } = await import(
        new URL('../plugins/build.ts', import.meta.url).href
      );
      return build.buildPlugin(name);
    },
  };
}

/**
 * Sees to what cannot be printed. A reader that went away (`attache get nodes | head -1`) is no error, a full disk is one:
 * a token or a bootstrap may be lost with it. Either ends the command; but `apply` stores what it was given, and a server
 * serves, whether anybody reads of it or not. Answers the exit code of the loss.
 */
function watchOutput(verb: string | undefined): () => number {
  let code: number = EXIT.done;
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (verb === 'serve') return;
    if (error.code !== 'EPIPE' && code === EXIT.done) {
      code = EXIT.error;
      process.stderr.write(`error: what is printed cannot be written: ${error.message}\n${LOST_OUTPUT}\n`);
    }
    if (verb === 'apply') process.exitCode ||= code;
    else process.exit(code);
  });
  // There is nobody to tell it to.
  process.stderr.on('error', () => {});
  return () => code;
}

const LOST_OUTPUT = 'Make room where it goes, and look what has been done before you run it again.';

/** Of the log, in bytes, until there is room again; then lines are left out. */
const MOST_WAITING = 1_000_000;

/** Where lines of the log go: a disk that is full, or a reader that is gone, costs lines and never the server. */
function toLasting<T extends { on(event: 'error', listener: () => void): unknown }>(lines: T): T {
  lines.on('error', () => {});
  return lines;
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const lost = watchOutput(process.argv[2]);
  const code = await main(process.argv.slice(2), createContext());
  process.exitCode = code || lost();
}
