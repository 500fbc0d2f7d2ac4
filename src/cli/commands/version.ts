import type { DefineCommand } from '../command-context.ts';
import { EXIT } from '../exit-code.ts';

/** `attache version`: of this program; the server's stands in `GET /version`. */
export const define: DefineCommand = (command, context, finish) => {
  command
    .description('print the version of this program')
    .addHelpText('after', '\nExample:\n  attache version')
    .action(() => {
      context.out(`attache ${context.version}`);
      finish(EXIT.done);
    });
};
