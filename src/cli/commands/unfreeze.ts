import type { FreezeView } from '../../api/schema/freeze-view.ts';
import { addServerOption, type DefineCommand, type ServerOptions, toRestClient } from '../command-context.ts';
import { EXIT } from '../exit-code.ts';

/** `attache unfreeze`. */
export const define: DefineCommand = (command, context, finish) => {
  addServerOption(command.description('take changes again; paused rollouts go on'))
    .addHelpText('after', '\nExample:\n  attache unfreeze')
    .action(async (options: ServerOptions) => {
      const { text } = await toRestClient(options, context).delete<FreezeView>('/v1/freeze');
      context.out(text);
      finish(EXIT.done);
    });
};
