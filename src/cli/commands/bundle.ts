import type { NodeBundle } from '../../api/schema/node-config-view.ts';
import { CliError } from '../cli-error.ts';
import { addServerOption, type DefineCommand, type ServerOptions, toRestClient } from '../command-context.ts';
import { EXIT } from '../exit-code.ts';
import { withNearestNode } from '../nearest.ts';
import { toPath } from '../rest-client.ts';

const HELP = `
Look at it before you give it away: names, labels and addresses are in it, and so are Envoy's own texts. What was
left out and what was blotted out stands at its end.

Example:
  attache bundle node edge-1 > edge-1.json`;

/** `attache bundle node ID`: one file for a report. */
export const define: DefineCommand = (command, context, finish) => {
  addServerOption(command.description('all about a node in one JSON file for a report, without secrets'))
    .argument('<kind>', 'node')
    .argument('<id>', 'the id of the node')
    .addHelpText('after', HELP)
    .action(async (kind: string, id: string, options: ServerOptions) => {
      if (!/^nodes?$/i.test(kind))
        throw new CliError('bad-usage', `${kind}: there are bundles of nodes`, {
          hint: 'Of a rollout: attache describe rollout ID, and attache bundle node of a node that refused it',
        });
      const client = toRestClient(options, context);
      const path = toPath('v1', 'nodes', id, 'bundle');
      const bundle = await withNearestNode(client, id, () => client.get<NodeBundle>(path));
      context.out(JSON.stringify(bundle, null, 2));
      for (const sentence of bundle.leftOut) context.err(`left out: ${sentence}`);
      finish(EXIT.done);
    });
};
