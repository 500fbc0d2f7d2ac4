import type { HistoryRow } from '../../api/schema/rollout-view.ts';
import {
  addNamespaceOption,
  addServerOption,
  type DefineCommand,
  type ServerOptions,
  toRestClient,
} from '../command-context.ts';
import { EXIT } from '../exit-code.ts';
import { HISTORY, toTable } from '../listings.ts';
import { withNearestPlugin } from '../nearest.ts';
import { paintStates } from '../paint.ts';
import { parseWord } from '../parse-option.ts';
import { printAs } from '../print-as.ts';
import { readList } from '../read-list.ts';
import { parseRolloutTarget, pluginPath } from '../rollout/rollout-target.ts';
import { formatTable } from '../table.ts';

const OUTPUTS = ['table', 'wide', 'json', 'yaml'] as const;

interface Options extends ServerOptions {
  readonly namespace?: string;
  readonly output: (typeof OUTPUTS)[number];
}

/** `attache rollout history NAME`: what was tried with a plugin, by whom, and what came of it. */
export const defineHistory: DefineCommand = (command, context, finish) => {
  addNamespaceOption(
    addServerOption(command.description('what was tried with a plugin, and what came of it')),
  )
    .argument('<name>', 'NAME or NAMESPACE/NAME of the plugin')
    .option('-o, --output <form>', OUTPUTS.join('|'), parseWord(...OUTPUTS), 'table')
    .addHelpText('after', '\nExample:\n  attache rollout history auth -o wide')
    .action(async (name: string, { output, namespace, ...options }: Options) => {
      const client = toRestClient(options, context);
      const { plugin } = parseRolloutTarget(name, namespace);
      const history = await withNearestPlugin(client, plugin, () =>
        readList(client, `${pluginPath(plugin)}/rollouts`),
      );
      const items = history as readonly HistoryRow[];
      if (output === 'json' || output === 'yaml') printAs(output, { kind: 'RolloutHistory', items }, context);
      else {
        const table = formatTable(toTable(HISTORY, items, Date.now(), output === 'wide'));
        context.out(paintStates(table, context.screen));
      }
      finish(EXIT.done);
    });
};
