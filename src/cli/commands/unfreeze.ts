import type { FreezeView } from '../../api/schema/freeze-view.ts';
import { addChangeOptions, type ChangeOptions, toQuery } from '../change-options.ts';
import { addServerOption, type DefineCommand, type ServerOptions, toRestClient } from '../command-context.ts';
import { EXIT } from '../exit-code.ts';

interface Options extends ServerOptions, ChangeOptions {}

/** `attache unfreeze`. */
export const define: DefineCommand = (command, context, finish) => {
  addChangeOptions(addServerOption(command.description('take changes again; paused rollouts go on')))
    .addHelpText('after', '\nExample:\n  attache unfreeze -m "the night is over"')
    .action(async ({ message, dryRun, ...options }: Options) => {
      const client = toRestClient(options, context);
      const { text } = await client.delete<FreezeView>(`/v1/freeze${toQuery({ message, dryRun })}`);
      context.out(text);
      finish(EXIT.done);
    });
};
