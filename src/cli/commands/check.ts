import { toMessage } from '../../model/error.ts';
import type { ModuleCheck } from '../../model/module-check.ts';
import { describeCheck, isAccepted } from '../check-text.ts';
import { CliError } from '../cli-error.ts';
import type { CommandContext, DefineCommand } from '../command-context.ts';
import { EXIT } from '../exit-code.ts';
import { parseVersions, parseWord } from '../parse-option.ts';
import { printAs } from '../print-as.ts';
import { readCheckedPlugin } from '../read-checked-plugin.ts';

interface Options {
  readonly config?: string;
  readonly plugin?: string;
  readonly envoy?: readonly string[];
  readonly output?: 'json' | 'yaml';
  readonly json?: true;
}

/** `attache check FILE`: what the server does before any Envoy gets a module, on this machine and without a server. */
export const define: DefineCommand = (command, context, finish) => {
  command
    .description('say what Envoys would do with a .wasm file: checks it, then starts it as they would')
    .argument('<file>', 'a module, or an archive with one in it')
    .option(
      '--plugin <file>',
      'a plugin document: pluginConfig, pluginName and environment are taken from it',
    )
    .option('--config <file>', 'a pluginConfig by itself, YAML or JSON')
    .option(
      '--envoy <version>',
      'as this release would, e.g. 1.36.2; again or a,b for several',
      parseVersions,
    )
    .option('-o, --output <form>', 'json|yaml', parseWord('json', 'yaml'))
    .option('--json', 'the same as -o json')
    .addHelpText(
      'after',
      `${MEANING}\n\nExample:\n  attache check auth.wasm --plugin auth.yaml --envoy 1.36.2,1.40.0`,
    )
    .action(async (file: string, options: Options) => finish(await check(file, options, context)));
};

const MEANING = `
Exit codes: 0 every release accepts it, or an Envoy has to decide; 1 one refuses it, or it cannot be read.`;

async function check(path: string, options: Options, context: CommandContext): Promise<number> {
  if (options.config !== undefined && options.plugin !== undefined)
    throw new CliError('bad-usage', '--config and --plugin both give a pluginConfig', {
      hint: 'Leave one of them out.',
    });
  const { plugin, locate } = readCheckedPlugin(options);
  const found = await look(context, { path, plugin, envoyVersions: options.envoy ?? [] });
  const output = options.output ?? (options.json === true ? 'json' : undefined);
  if (output === undefined) context.out(describeCheck(found, locate));
  else printAs(output, found, context);
  return isAccepted(found) ? EXIT.done : EXIT.error;
}

async function look(
  { ports }: CommandContext,
  request: Parameters<CommandContext['ports']['checkFile']>[0],
): Promise<ModuleCheck> {
  try {
    return await ports.checkFile(request);
  } catch (cause) {
    // Of the file system; what is wrong with a module is an answer, and what stopped its run has a code.
    if (cause instanceof Error && 'syscall' in cause)
      throw new CliError('bad-file', `${request.path}: ${toMessage(cause)}`, { cause });
    throw cause;
  }
}
