import type { DeleteAnswer } from '../../api/schema/plugin-view.ts';
import { CliError } from '../cli-error.ts';
import { addServerOption, type DefineCommand, type ServerOptions, toRestClient } from '../command-context.ts';
import { EXIT } from '../exit-code.ts';
import { formatCount } from '../format.ts';
import { parseTarget } from '../target.ts';

interface DeleteOptions extends ServerOptions {
  readonly namespace?: string;
  readonly message?: string;
}

/** `attache delete KIND NAME`. */
export const define: DefineCommand = (command, context, finish) => {
  addServerOption(command.description('take a plugin or a resource away'))
    .argument('<kind>', 'plugin, listener, cluster, route, endpoint, secret …')
    .argument('<name>', 'NAME or NAMESPACE/NAME')
    .option('-n, --namespace <ns>', 'namespace of NAME (default "default")')
    .option('-m, --message <text>', 'why; kept in the history')
    .addHelpText('after', '\nExample:\n  attache delete plugin auth')
    .action(async (kind: string, name: string, options: DeleteOptions) => {
      const target = parseTarget(kind, name, options.namespace);
      if (target.word === 'node') throw new CliError('bad-usage', 'a node cannot be deleted yet');
      const query = options.message === undefined ? '' : `?message=${encodeURIComponent(options.message)}`;
      const answer = await toRestClient(options, context).delete<DeleteAnswer>(target.path + query);
      context.out(describe(target.word, answer));
      finish(EXIT.done);
    });
};

function describe(word: string, { deleted, nodes }: DeleteAnswer): string {
  const what = `${word} ${deleted.namespace}/${deleted.name}`;
  return nodes === 0
    ? `${what} deleted; no node had it`
    : `${what}: removing from ${formatCount(nodes, 'node')}`;
}
