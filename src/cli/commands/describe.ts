import type { NodeView } from '../../api/schema/node-view.ts';
import type { PluginView, RevisionList } from '../../api/schema/plugin-view.ts';
import { addServerOption, type DefineCommand, type ServerOptions, toRestClient } from '../command-context.ts';
import { describeNode, describePlugin } from '../describe-text.ts';
import { EXIT } from '../exit-code.ts';
import { parseTarget } from '../target.ts';
import { toYaml } from '../yaml-splice.ts';

interface Options extends ServerOptions {
  readonly namespace?: string;
}

/** `attache describe KIND NAME`. */
export const define: DefineCommand = (command, context, finish) => {
  addServerOption(command.description('tell all about a plugin, a node or a resource'))
    .argument('<kind>', 'plugin, node, listener, cluster, route …')
    .argument('<name>', 'NAME or NAMESPACE/NAME')
    .option('-n, --namespace <ns>', 'namespace of NAME (default "default")')
    .addHelpText('after', '\nExample:\n  attache describe plugin auth')
    .action(async (kind: string, name: string, options: Options) => {
      const client = toRestClient(options, context);
      const target = parseTarget(kind, name, options.namespace);
      if (target.word === 'node') {
        context.out(describeNode(await client.get<NodeView>(target.path), Date.now()));
      } else if (target.word === 'plugin') {
        const view = await client.get<PluginView>(target.path);
        const { items } = await client.get<RevisionList>(`${target.path}/revisions`);
        context.out(describePlugin(view, items, Date.now()));
      } else context.out(toYaml(await client.get<unknown>(target.path)).trimEnd());
      finish(EXIT.done);
    });
};
