import type { CommandContext, DefineCommand } from '../command-context.ts';
import { EXIT } from '../exit-code.ts';
import { writeNewPlugin } from '../plugin/new-plugin.ts';

/** `attache new DIR`: the folder of a plugin that builds, and passes its tests, as it is. */
export const define: DefineCommand = (command, context, finish) => {
  command
    .description('begin a plugin in AssemblyScript')
    .argument('<folder>', 'is made; its last part is the name: small letters, digits, hyphens')
    .addHelpText('after', '\nExample:\n  attache new my-plugin && attache test my-plugin')
    .action((folder: string) => finish(begin(folder, context)));
};

function begin(folder: string, context: CommandContext): number {
  const files = writeNewPlugin(folder);
  context.out([`made ${folder}: ${files.join(', ')}, and sdk/`, `next: attache test ${folder}`].join('\n'));
  return EXIT.done;
}
