import { CliError } from '../cli-error.ts';
import type { CommandContext, DefineCommand } from '../command-context.ts';
import { resolveConnection } from '../connection.ts';
import { type DemoResult, tellStory } from '../demo/demo-story.ts';
import { createDemoWorld, type DemoWorld } from '../demo/demo-world.ts';
import { EXIT } from '../exit-code.ts';
import { PROGRAM_NAME } from '../installation.ts';
import { parsePort } from '../parse-option.ts';

interface Options {
  readonly once?: true;
  readonly portBase?: number;
}

/** `attache demo`: the whole story on this machine, from nothing. */
export const define: DefineCommand = (command, context, finish) => {
  command
    .description('the whole story, live, in a minute')
    .option('--once', 'end after the last step; exit 0 only if every step held')
    .option('--port-base <port>', 'use this port and the four after it', parsePort)
    .addHelpText('after', '\nExample:\n  attache demo --once')
    .action(async (options: Options) => finish(await demo(options, context)));
};

async function demo(options: Options, context: CommandContext): Promise<number> {
  const interrupted = Promise.withResolvers<'interrupted'>();
  const restore = context.onSignal(() => interrupted.resolve('interrupted'));
  const world = await createDemoWorld(context.env, options.portBase);
  try {
    const title = '\n  Attaché demo'.padEnd(49);
    context.out(`${title} everything lives in ${world.directory} and ends with Ctrl-C\n`);
    const outcome = await Promise.race([tellStory(world, context), interrupted.promise, world.broken]);
    if (outcome === 'interrupted')
      throw new CliError('interrupted', 'the demo was ended before its last step');
    if (options.once) return EXIT.done;
    context.out(describeNext(outcome, resolveConnection({}, context.env).server));
    await Promise.race([interrupted.promise, world.broken]);
    return EXIT.done;
  } finally {
    await stop(world, context);
    restore();
  }
}

async function stop(world: DemoWorld, context: CommandContext): Promise<void> {
  await world.stop();
  context.out('\n  ended: the Envoy, the control plane and the folder are gone');
}

/** Commands for a second terminal, as they can be pasted there. */
function describeNext({ server, url }: DemoResult, usual: string): string {
  const lines = [`${PROGRAM_NAME} get nodes`, `${PROGRAM_NAME} rollout history hello`, `curl -i ${url}`];
  if (server.api !== usual) {
    const why = '     # other commands would ask ';
    lines.unshift(`export ATTACHE_SERVER=${server.api}${why}${usual}`);
  }
  return ['', '  Still running. Try:', ...lines.map(line => `     ${line}`)].join('\n');
}
