import { CliError } from '../cli-error.ts';
import type { CommandContext, DefineCommand } from '../command-context.ts';
import { EXIT } from '../exit-code.ts';
import { addRegistryOptions, openRegistryTarget, type RegistryOptions } from '../registry-target.ts';

/** `attache tag REF NEWTAG`: another tag for what is in a registry; nothing is pulled. */
export const define: DefineCommand = (command, context, finish) => {
  addRegistryOptions(command.description('give a module in a registry another tag'))
    .argument('<reference>', 'NAME:TAG (the built-in registry), HOST:PORT/NAME:TAG or …@sha256:…')
    .argument('<tag>', 'the new tag; one that exists is moved')
    .addHelpText('after', '\nExample:\n  attache tag auth:1.4 stable')
    .action(async (reference: string, tag: string, options: RegistryOptions) =>
      finish(await addTag(reference, tag, options, context)),
    );
};

async function addTag(
  text: string,
  tag: string,
  options: RegistryOptions,
  context: CommandContext,
): Promise<number> {
  if (!/^\w[\w.-]{0,127}$/.test(tag))
    throw new CliError('bad-usage', `${tag}: a tag is up to 128 letters, digits and ._-`);
  const target = openRegistryTarget(text, options, context, true);
  const { digest } = await context.ports.tagArtifact({ ...target, tag });
  const { reference } = target;
  const repository = reference.replace(/@.*$/, '').replace(/:[^/:]*$/, '');
  context.out([`tagged ${reference}`, `  url: oci://${repository}:${tag}`, `  digest: ${digest}`].join('\n'));
  return EXIT.done;
}
