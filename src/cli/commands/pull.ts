import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { AttacheError, toMessage } from '../../model/error.ts';
import { CliError } from '../cli-error.ts';
import type { CommandContext, DefineCommand } from '../command-context.ts';
import { EXIT } from '../exit-code.ts';
import { formatSize } from '../format.ts';
import { startProgress } from '../progress.ts';
import {
  addRegistryOptions,
  openRegistryTarget,
  type RegistryOptions,
  toDockerConfigPath,
  toRegistryName,
} from '../registry-target.ts';

interface Options extends RegistryOptions {
  readonly output?: string;
}

/** `attache pull REF`: the module out of an artifact of any layout, as a file. */
export const define: DefineCommand = (command, context, finish) => {
  addRegistryOptions(command.description('get a module from a registry as a file'))
    .argument('<reference>', 'NAME:TAG (the built-in registry), HOST:PORT/NAME:TAG, …@sha256:…, or https://…')
    .option('-o, --output <file>', 'where to (default NAME.wasm here, which must not exist)')
    .addHelpText('after', '\nExample:\n  attache pull registry.example/team/auth:1.4 -o auth.wasm')
    .action(async (reference: string, options: Options) => finish(await pull(reference, options, context)));
};

async function pull(text: string, options: Options, context: CommandContext): Promise<number> {
  const from = toSource(text, options, context);
  const path = options.output ?? `${from.name}.wasm`;
  if (options.output === undefined && existsSync(path))
    throw new CliError('bad-file', `${path} exists already`, {
      hint: 'Name another file, or this one, with -o.',
    });
  const { sizeBytes, sha256, layout, referenceDigest } = await pullInto(path, from, context);
  const digest = referenceDigest === undefined ? [] : [`  digest: ${referenceDigest}`];
  context.out(
    [
      `pulled ${formatSize(sizeBytes)} from ${from.where} to ${path}`,
      ...digest,
      `  module sha256: ${sha256}   (layout ${layout})`,
    ].join('\n'),
  );
  return EXIT.done;
}

function toSource(text: string, options: Options, context: CommandContext) {
  if (/^https?:\/\//.test(text)) {
    if (!URL.canParse(text)) throw new CliError('bad-usage', `${text}: no URL`);
    const { host, pathname } = new URL(text);
    const access = { insecureRegistries: [], dockerConfigPath: toDockerConfigPath(context) };
    return { reference: text, ...access, where: host, name: toFileName(pathname) };
  }
  const target = openRegistryTarget(text, options, context, true);
  const repository = target.reference.replace(/@.*$/, '').replace(/:[^/:]*$/, '');
  return { ...target, where: toRegistryName(target), name: toFileName(repository) };
}

function toFileName(path: string): string {
  return basename(path).replace(/\.(wasm|tar|tgz|tar\.gz)$/, '') || 'module';
}

async function pullInto(path: string, from: ReturnType<typeof toSource>, context: CommandContext) {
  const progress = startProgress('pulling', context);
  try {
    return await context.ports.pullModule({ ...from, path, ...progress.request });
  } catch (cause) {
    if (cause instanceof AttacheError) throw cause;
    throw new CliError('bad-file', `${path}: ${toMessage(cause)}`, { cause });
  } finally {
    progress.end();
  }
}
