import type { NodeBundle, RolloutBundle } from '../../api/schema/bundle-view.ts';
import { CliError } from '../cli-error.ts';
import {
  addNamespaceOption,
  addServerOption,
  type DefineCommand,
  type ServerOptions,
  toRestClient,
} from '../command-context.ts';
import { EXIT } from '../exit-code.ts';
import { withNearestNode } from '../nearest.ts';
import { type RestClient, toPath } from '../rest-client.ts';
import { parseRolloutTarget, readRollout } from '../rollout/rollout-target.ts';

interface Options extends ServerOptions {
  readonly namespace?: string;
}

const HELP = `
Look at it before you give it away: names, labels and addresses are in it, and so are Envoy's own texts. What was
left out and what was blotted out stands at its end.

Examples:
  attache bundle node edge-1 > edge-1.json
  attache bundle rollout auth > auth.json`;

/** `attache bundle node|rollout ID`: one file for a report. */
export const define: DefineCommand = (command, context, finish) => {
  addNamespaceOption(
    addServerOption(command.description('all about a node or a rollout in one JSON file, without secrets')),
  )
    .argument('<kind>', 'node, rollout')
    .argument('<id>', 'the id of the node; of a rollout its id or its plugin')
    .addHelpText('after', HELP)
    .action(async (kind: string, id: string, options: Options) => {
      const bundle = await read(toRestClient(options, context), kind.toLowerCase(), id, options);
      context.out(JSON.stringify(bundle, null, 2));
      context.err(
        [...bundle.leftOut.map(sentence => `left out: ${sentence}`), `note: ${bundle.note}`].join('\n'),
      );
      finish(EXIT.done);
    });
};

async function read(
  client: RestClient,
  kind: string,
  id: string,
  { namespace }: Options,
): Promise<NodeBundle | RolloutBundle> {
  switch (kind.replace(/s$/, '')) {
    case 'node':
      return withNearestNode(client, id, () => client.get<NodeBundle>(toPath('v1', 'nodes', id, 'bundle')));
    case 'rollout': {
      // By its plugin it may have another id by now: the nearest name is told as well.
      const { id: found } = await readRollout(client, parseRolloutTarget(id, namespace));
      return client.get<RolloutBundle>(toPath('v1', 'rollouts', found, 'bundle'));
    }
    default:
      throw new CliError('bad-usage', `${kind}: there are bundles of a node and of a rollout`);
  }
}
