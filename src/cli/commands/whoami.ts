import type { WhoAmI } from '../../api/schema/server-view.ts';
import { addServerOption, type DefineCommand, type ServerOptions, toRestClient } from '../command-context.ts';
import { EXIT } from '../exit-code.ts';
import { parseWord } from '../parse-option.ts';
import { printAs } from '../print-as.ts';
import { toGrantText } from '../token-listing.ts';

interface Options extends ServerOptions {
  readonly output?: 'json' | 'yaml';
}

/** `attache whoami`: who the server takes us for. */
export const define: DefineCommand = (command, context, finish) => {
  addServerOption(command.description('print who the server takes you for'))
    .option('-o, --output <form>', 'json|yaml: as data', parseWord('json', 'yaml'))
    .addHelpText('after', '\nExample:\n  attache whoami --context prod')
    .action(async ({ output, ...options }: Options) => {
      const client = toRestClient(options, context);
      const who = await client.get<WhoAmI>('/v1/whoami');
      if (output === undefined)
        context.out(`${who.name} (${toGrantText(who)}; ${who.how}) at ${client.server}`);
      else printAs(output, who, context);
      finish(EXIT.done);
    });
};
