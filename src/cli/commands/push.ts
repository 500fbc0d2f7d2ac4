import { readFileSync } from 'node:fs';
import { IMAGE_ANNOTATION, PUSH_LAYOUTS, type PushLayout } from '../../model/artifact-layout.ts';
import { toMessage } from '../../model/error.ts';
import { CliError } from '../cli-error.ts';
import type { CommandContext, DefineCommand } from '../command-context.ts';
import { EXIT } from '../exit-code.ts';
import { formatDigest, formatSize } from '../format.ts';
import { parseLabel, parseWord } from '../parse-option.ts';
import { startProgress } from '../progress.ts';
import {
  addRegistryOptions,
  openRegistryTarget,
  type RegistryOptions,
  toRegistryName,
} from '../registry-target.ts';

interface Options extends RegistryOptions {
  readonly layout: PushLayout;
  readonly annotation?: Readonly<Record<string, string>>;
  readonly title?: string;
  readonly description?: string;
  readonly versionLabel?: string;
  readonly licence?: string;
  readonly source?: string;
}

/** `attache push FILE REF`: a module as an OCI artifact; without a host it goes to the built-in registry. */
export const define: DefineCommand = (command, context, finish) => {
  addRegistryOptions(command.description('push a module to a registry'))
    .argument('<file>', 'the .wasm file')
    .argument('<reference>', 'NAME:TAG (the built-in registry) or HOST:PORT/NAME:TAG')
    .option(
      '--layout <layout>',
      `${PUSH_LAYOUTS.join('|')}: compat is what every Istio reads; index holds compat and cncf`,
      parseWord(...PUSH_LAYOUTS),
      'cncf',
    )
    .option('--title <text>', 'a name for people')
    .option('--description <text>', 'what it does, in a sentence')
    .option('--version-label <version>', 'its version')
    .option('--licence <spdx>', 'its licence, e.g. Apache-2.0')
    .option('--source <url>', 'where its source is')
    .option('--annotation <key=value>', 'any other annotation; may be repeated', parseLabel)
    .addHelpText('after', HELP)
    .action(async (file: string, reference: string, options: Options) =>
      finish(await push(file, reference, options, context)),
    );
};

const HELP = `
The same file and flags give the same digests. The time of creation is $SOURCE_DATE_EPOCH, else 1970.

Example:
  attache push build/auth.wasm auth:1.4 --version-label 1.4.0 --licence Apache-2.0`;

async function push(file: string, text: string, options: Options, context: CommandContext): Promise<number> {
  const bytes = readModule(file);
  const target = openRegistryTarget(text, options, context);
  const progress = startProgress('pushing', context);
  const pushed = context.ports.pushModule({
    bytes,
    ...target,
    layout: options.layout,
    annotations: toAnnotations(options),
    createdMs: readCreated(context.env.SOURCE_DATE_EPOCH),
    ...progress.request,
  });
  const { manifestDigest, moduleSha256 } = await pushed.finally(progress.end);
  const layout = options.layout === 'cncf' ? '' : ` as ${options.layout}`;
  context.out(
    [
      `pushed ${formatSize(bytes.length)} to ${toRegistryName(target)}${layout}`,
      `  url: oci://${target.reference}`,
      `  digest: ${manifestDigest}   (module sha256 ${formatDigest(moduleSha256)})`,
    ].join('\n'),
  );
  return EXIT.done;
}

/** What has a flag of its own wins over --annotation. */
function toAnnotations(options: Options): Readonly<Record<string, string>> {
  const { title, description, versionLabel, licence, source } = options;
  const named = { title, description, version: versionLabel, licenses: licence, source };
  const given = Object.entries(named).flatMap(([key, value]) =>
    value === undefined ? [] : [[IMAGE_ANNOTATION + key, value] as const],
  );
  return { ...options.annotation, ...Object.fromEntries(given) };
}

/** Seconds to ms. https://reproducible-builds.org/specs/source-date-epoch/ */
function readCreated(epoch: string | undefined): number {
  if (!epoch) return 0;
  if (/^\d{1,11}$/.test(epoch)) return Number(epoch) * 1000;
  throw new CliError('bad-usage', `$SOURCE_DATE_EPOCH ${epoch}: expected seconds since 1970`);
}

function readModule(file: string): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (cause) {
    throw new CliError('bad-file', `${file}: ${toMessage(cause)}`, { cause });
  }
  const magic = Buffer.from(bytes.subarray(0, 4)).toString('latin1');
  if (magic !== '\0asm') throw new CliError('bad-file', `${file}: not a Wasm module`);
  return bytes;
}
