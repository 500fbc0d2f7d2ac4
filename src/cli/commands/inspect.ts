import { existsSync, readFileSync } from 'node:fs';
import { toMessage } from '../../model/error.ts';
import type { ModuleInspection } from '../../model/module-inspection.ts';
import { CliError } from '../cli-error.ts';
import type { CommandContext, DefineCommand } from '../command-context.ts';
import { EXIT } from '../exit-code.ts';
import { describeInspection } from '../inspect-text.ts';
import { parseWord } from '../parse-option.ts';
import { printAs } from '../print-as.ts';
import { addRegistryOptions, openRegistryTarget, type RegistryOptions } from '../registry-target.ts';

interface Options extends RegistryOptions {
  readonly output?: 'json' | 'yaml';
  readonly key?: string;
}

/** `attache inspect REF|FILE`: layers, digests, signatures, ABI, imports, exports, annotations; nothing is run. */
export const define: DefineCommand = (command, context, finish) => {
  addRegistryOptions(command.description('tell what is in an artifact or a .wasm file'))
    .argument('<what>', 'a file; or NAME:TAG (the built-in registry), HOST:PORT/NAME:TAG, …@sha256:…')
    .option('--key <file>', 'a PEM public key: check the signatures with it')
    .option('-o, --output <form>', 'json|yaml', parseWord('json', 'yaml'))
    .addHelpText('after', '\nExample:\n  attache inspect registry.example/team/auth:1.4')
    .action(async (what: string, options: Options) => finish(await inspect(what, options, context)));
};

async function inspect(what: string, options: Options, context: CommandContext): Promise<number> {
  const inspection = await look(what, options, context);
  if (options.output === undefined) context.out(describeInspection(inspection));
  else printAs(options.output, inspection, context);
  const signature = inspection.artifact?.signatures.state;
  const isRefused = options.key !== undefined && signature !== 'verified';
  return inspection.module === undefined || isRefused ? EXIT.error : EXIT.done;
}

/** What is a file here is meant as one; what looks like a path only can be. */
async function look(what: string, options: Options, context: CommandContext): Promise<ModuleInspection> {
  const { ports } = context;
  if (!existsSync(what) && !/^[./]|\.wasm$/.test(what))
    return ports.inspectReference({
      ...openRegistryTarget(what, options, context, true),
      ...(options.key === undefined ? {} : { verificationKey: readKey(options.key) }),
    });
  if (options.key !== undefined)
    throw new CliError('bad-usage', '--key: a file has no signatures, what is in a registry has');
  try {
    return await ports.inspectFile(what);
  } catch (cause) {
    throw new CliError('bad-file', `${what}: ${toMessage(cause)}`, { cause });
  }
}

function readKey(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new CliError('bad-file', `${path}: ${toMessage(cause)}`, { cause });
  }
  if (text.includes('-----BEGIN PUBLIC KEY-----')) return text;
  throw new CliError('bad-file', `${path}: not a public key in PEM form`);
}
