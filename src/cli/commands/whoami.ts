import type { WhoAmI } from '../../api/schema/server-view.ts';
import { addServerOption, type DefineCommand, type ServerOptions, toRestClient } from '../command-context.ts';
import { EXIT } from '../exit-code.ts';

/** `attache whoami`: who the server takes us for. */
export const define: DefineCommand = (command, context, finish) => {
  addServerOption(command.description('print who the server takes you for')).action(
    async (options: ServerOptions) => {
      const client = toRestClient(options, context);
      const { name, role, how } = await client.get<WhoAmI>('/v1/whoami');
      context.out(`${name} (${role}; ${how}) at ${client.server}`);
      finish(EXIT.done);
    },
  );
};
