import type { FreezeView } from '../../api/schema/freeze-view.ts';
import {
  addMessageOption,
  addServerOption,
  type DefineCommand,
  type ServerOptions,
  toRestClient,
} from '../command-context.ts';
import { EXIT } from '../exit-code.ts';

const FROZEN =
  'frozen: changes answer 423 with your message; running rollouts are paused; abort and undo still work; Envoys are served as ever';

interface Options extends ServerOptions {
  readonly message?: string;
}

/** `attache freeze`: nothing changes until it is lifted. */
export const define: DefineCommand = (command, context, finish) => {
  addMessageOption(addServerOption(command.description('stop all changes until unfreeze')))
    .addHelpText('after', '\nExample:\n  attache freeze -m "on-call, until 09:00"')
    .action(async ({ message, ...options }: Options) => {
      const client = toRestClient(options, context);
      await client.put<FreezeView>('/v1/freeze', { message });
      context.out(FROZEN);
      finish(EXIT.done);
    });
};
