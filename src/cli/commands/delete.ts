import type { DeleteAnswer } from '../../api/schema/plugin-view.ts';
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
  addServerOption(command.description('take a plugin, a resource or a gone node away'))
    .argument('<kind>', 'plugin, listener, cluster, route, endpoint, secret, node …')
    .argument('<name>', 'NAME or NAMESPACE/NAME')
    .option('-n, --namespace <ns>', 'namespace of NAME (default "default")')
    .option('-m, --message <text>', 'why; kept in the history')
    .addHelpText('after', '\nExample:\n  attache delete plugin auth')
    .action(async (kind: string, name: string, options: DeleteOptions) => {
      const target = parseTarget(kind, name, options.namespace);
      const query = options.message === undefined ? '' : `?message=${encodeURIComponent(options.message)}`;
      const answer = await toRestClient(options, context).delete<DeleteAnswer>(target.path + query);
      context.out(describe(target.word, target.name, answer));
      finish(EXIT.done);
    });
};

function describe(word: string, name: string, { deleted, nodes }: DeleteAnswer): string {
  if (word === 'node') return `node ${name} forgotten. It comes back as new if it connects again.`;
  const what = `${word} ${deleted.namespace}/${deleted.name}`;
  return nodes === 0
    ? `${what} deleted; no node had it`
    : `${what}: removing from ${formatCount(nodes, 'node')}`;
}
