import { resolve } from 'node:path';
import { toBackupText } from '../backup-text.ts';
import { CliError } from '../cli-error.ts';
import type { CommandContext, DefineCommand } from '../command-context.ts';
import { EXIT } from '../exit-code.ts';

interface Options {
  readonly data?: string;
  readonly check?: true;
}

const HELP = `
Every file is compared with its digest before anything counts as restored. Stop the server that was backed up first, or
two of them answer the same Envoys.

Examples:
  attache restore attache-2026-11-21.tar --check
  attache restore attache-2026-11-21.tar --data /var/lib/attache`;

/** `attache restore FILE --data DIR`: a new data directory from a backup, without a server. */
export const define: DefineCommand = (command, context, finish) => {
  command
    .description('fill a new data directory from a backup')
    .argument('<file>', 'what attache backup wrote')
    .option('--data <dir>', 'the data directory: empty, or not there yet')
    .option('--check', 'read all of it, say what it holds, and restore nothing')
    .addHelpText('after', HELP)
    .action(async (path: string, options: Options) => finish(await restore(path, options, context)));
};

async function restore(path: string, { data, check }: Options, context: CommandContext): Promise<number> {
  if (check === true) {
    const manifest = await context.ports.checkBackup(path);
    context.out([`${path} is whole`, ...toBackupText(manifest)].join('\n'));
    return EXIT.done;
  }
  if (data === undefined)
    throw new CliError('bad-usage', 'where to? Name the data directory: --data DIR', {
      hint: 'To read the backup only: --check',
    });
  const manifest = await context.ports.restoreBackup(path, resolve(data));
  context.out(
    [`restored into ${data}`, ...toBackupText(manifest), `next: attache serve --data ${data}`].join('\n'),
  );
  return EXIT.done;
}
