import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { toMessage } from '../../model/error.ts';
import { CliError } from '../cli-error.ts';
import type { CommandContext, DefineCommand } from '../command-context.ts';
import { EXIT } from '../exit-code.ts';
import { formatDigest, formatSize } from '../format.ts';
import { compilePlugin } from '../plugin/compile-plugin.ts';

interface Options {
  readonly outFile?: string;
}

/** `attache build [DIR]`: the AssemblyScript of a plugin's folder to a module, with its schema in it. */
export const define: DefineCommand = (command, context, finish) => {
  command
    .description('compile a plugin')
    .argument('[folder]', 'the folder of a plugin: assembly/index.ts, config.schema.json', '.')
    .option('-o, --out-file <file>', 'where the module goes (default build/NAME.wasm in the folder)')
    .addHelpText(
      'after',
      '\nExample:\n  attache build my-plugin && attache push my-plugin/build/my-plugin.wasm my-plugin:1',
    )
    .action(async (folder: string, options: Options) => finish(await build(folder, options, context)));
};

async function build(folder: string, { outFile }: Options, context: CommandContext): Promise<number> {
  const bytes = await compilePlugin(folder);
  const path = outFile ?? join(folder, 'build', `${basename(resolve(folder))}.wasm`);
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes);
  } catch (cause) {
    throw new CliError('bad-file', `${path}: ${toMessage(cause)}`, { cause });
  }
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  context.out(`built ${path}   ${formatSize(bytes.length)}   sha256 ${formatDigest(sha256)}`);
  return EXIT.done;
}
