import type { CommandContext, DefineCommand } from '../command-context.ts';
import { FILES_TOO, SCRIPTS, SHELLS } from '../completion-scripts.ts';
import { findPlace, type Place, type Word } from '../completion-tree.ts';
import { resolveConnection } from '../connection.ts';
import { readContexts } from '../contexts.ts';
import { EXIT } from '../exit-code.ts';
import { findKind } from '../kinds.ts';
import { createProgram } from '../program.ts';
import { readList } from '../read-list.ts';
import { RestClient } from '../rest-client.ts';
import { toTypedName } from '../target.ts';

/** Who waits for a key does not wait long; without an answer there are no names. */
const SERVER_LIMIT_MS = 700;

const HELP = `
bash: put  source <(attache completion bash)  into ~/.bashrc
zsh:  attache completion zsh > "\${fpath[1]}/_attache"
fish: attache completion fish > ~/.config/fish/completions/attache.fish
Names of plugins, nodes and the like are asked of the server of the moment.

Example:
  attache completion bash > /etc/bash_completion.d/attache`;

/** `attache completion bash|zsh|fish`. */
export const define: DefineCommand = (command, context, finish) => {
  command.description('print what makes your shell complete commands').addHelpText('after', HELP);
  for (const shell of SHELLS)
    command
      .command(shell)
      .description(`the script for ${shell}`)
      .addHelpText('after', `\nExample:\n  attache completion ${shell}`)
      .action(() => {
        context.out(SCRIPTS[shell]);
        finish(EXIT.done);
      });
  command
    .command('candidates', { hidden: true })
    .description('what the scripts ask: what may follow these words')
    .argument('[words...]', 'what was typed after attache; the last of them is not finished')
    .addHelpText('after', '\nExample:\n  attache completion candidates -- get no')
    .action(async (words: readonly string[]) => {
      const found = await findCandidates(words, context);
      if (found.length > 0) context.out(found.join('\n'));
      finish(EXIT.done);
    });
};

async function findCandidates(words: readonly string[], context: CommandContext): Promise<readonly string[]> {
  const program = await createProgram(
    context,
    () => {},
    ({ name }) => name === words[0],
  );
  const place = findPlace(program, words);
  const names = await readNames(place, words, context);
  const begin = words.at(-1) ?? '';
  const fitting = [...place.words, ...names].filter(({ word }) => word.startsWith(begin));
  return [...fitting.map(({ word, about }) => `${word}\t${about}`), ...(place.files ? [FILES_TOO] : [])];
}

async function readNames(
  { names }: Place,
  words: readonly string[],
  context: CommandContext,
): Promise<readonly Word[]> {
  if (names === undefined) return [];
  const toWord = (word: string) => ({ word, about: '' });
  try {
    if (names === 'contexts') return Object.keys(readContexts(context.env).contexts).map(toWord);
    const kind = findKind(names);
    const connection = resolveConnection(readServerOptions(words), context.env);
    const items = await readList(new RestClient(connection, SERVER_LIMIT_MS), kind.path);
    return items.map(item => toWord(toTypedName(kind.nameOf(item).replace(/^[^/]*\//, ''))));
  } catch {
    // A server that does not answer has no names; the line that is being typed is not disturbed.
    return [];
  }
}

/** The server may be a flag of the very line that is completed. */
function readServerOptions(words: readonly string[]) {
  const readFlag = (flag: string) => {
    const at = words.indexOf(flag);
    return at < 0 ? undefined : words[at + 1];
  };
  return { server: readFlag('--server'), context: readFlag('--context'), caFile: readFlag('--ca-file') };
}
