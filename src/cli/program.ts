import { Command } from 'commander';
import { NEXT_STEPS } from './cli-error.ts';
import type { CommandContext } from './command-context.ts';
import { VERBS, type Verb } from './verbs.ts';

const EXIT_CODES = `
Exit codes: 0 done, 1 error, 2 usage, 3 differences, 4 rolled back or held back, 5 waits for a person,
6 timeout, 7 conflict or data directory in use.`;

/**
 * The command line as a tree of commands. Only verbs that are `wanted` have their arguments, options and sub-verbs:
 * the code of the others is not loaded. `finish` is given the exit code of what was run.
 */
export async function createProgram(
  context: CommandContext,
  finish: (code: number) => void,
  wanted: (verb: Verb) => boolean,
): Promise<Command> {
  const program = new Command('attache')
    .description('Puts Proxy-Wasm plugins on plain Envoys and keeps them there.')
    .version(`attache ${context.version}`, '-V, --version')
    .addHelpText('after', EXIT_CODES)
    .showHelpAfterError(NEXT_STEPS['bad-usage'])
    .configureOutput({
      writeOut: text => context.out(text.trimEnd()),
      writeErr: text => context.err(text.trimEnd()),
    })
    .exitOverride();
  for (const verb of VERBS) {
    const command = program.command(verb.name).description(verb.summary);
    if (wanted(verb)) (await verb.load()).define(command, context, finish);
  }
  return program;
}
