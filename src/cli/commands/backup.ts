import { existsSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { toMessage } from '../../model/error.ts';
import { toBackupText } from '../backup-text.ts';
import { CliError } from '../cli-error.ts';
import {
  addServerOption,
  type CommandContext,
  type DefineCommand,
  type ServerOptions,
  toRestClient,
} from '../command-context.ts';
import { EXIT } from '../exit-code.ts';
import type { RestClient } from '../rest-client.ts';

interface Options extends ServerOptions {
  readonly keys: boolean;
}

const HELP = `
The server goes on meanwhile. The file can be read by you alone; whoever has it can do all that this server can, except
where --no-keys left the keys out. attache restore FILE --check says what it holds.

Example:
  attache backup attache-$(date +%F).tar`;

/** `attache backup FILE`: all that the server keeps, as of one moment. */
export const define: DefineCommand = (command, context, finish) => {
  addServerOption(
    command.description('write all that a running server keeps into a file; takes the role admin'),
  )
    .argument('<file>', 'a tar archive; must not exist')
    .option('--no-keys', 'without secret-key and admin-token: worthless to who has not these, and to you')
    .addHelpText('after', HELP)
    .action(async (path: string, options: Options) => finish(await backUp(path, options, context)));
};

async function backUp(path: string, options: Options, context: CommandContext): Promise<number> {
  if (existsSync(path))
    throw new CliError('bad-file', `${path} exists already`, { hint: 'Name another file.' });
  const partial = `${path}.partial`;
  try {
    await download(toRestClient(options, context), options.keys, partial);
    // What was written is read again: a backup that nobody could restore is none.
    const manifest = await context.ports.checkBackup(partial);
    await rename(partial, path);
    context.out([`backed up to ${path}`, ...toBackupText(manifest)].join('\n'));
    return EXIT.done;
  } finally {
    await rm(partial, { force: true });
  }
}

async function download(client: RestClient, withKeys: boolean, path: string): Promise<void> {
  await rm(path, { force: true });
  try {
    const bytes = client.download(withKeys ? '/v1/backup' : '/v1/backup?keys=false');
    await writeFile(path, bytes, { mode: 0o600, flag: 'wx', flush: true });
  } catch (cause) {
    if (cause instanceof Error && 'syscall' in cause && !('hint' in cause))
      throw new CliError('bad-file', `${path}: ${toMessage(cause)}`, { cause });
    throw cause;
  }
}
