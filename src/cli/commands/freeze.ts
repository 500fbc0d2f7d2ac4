import type { FreezeView } from '../../api/schema/freeze-view.ts';
import { addChangeOptions, type ChangeOptions, toQuery } from '../change-options.ts';
import { addServerOption, type DefineCommand, type ServerOptions, toRestClient } from '../command-context.ts';
import { EXIT } from '../exit-code.ts';

const FROZEN =
  'frozen: changes answer 423 with your message; running rollouts are paused; abort and undo still work; Envoys are served as ever';

interface Options extends ServerOptions, ChangeOptions {}

/** `attache freeze`: nothing changes until it is lifted. */
export const define: DefineCommand = (command, context, finish) => {
  addChangeOptions(addServerOption(command.description('stop all changes until unfreeze')))
    .addHelpText('after', '\nExample:\n  attache freeze -m "on-call, until 09:00"')
    .action(async ({ message, dryRun, ...options }: Options) => {
      const client = toRestClient(options, context);
      const { text } = await client.put<FreezeView>(`/v1/freeze${toQuery({ dryRun })}`, { message });
      context.out(dryRun ? text : FROZEN);
      finish(EXIT.done);
    });
};
