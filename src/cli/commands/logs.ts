import type { NodeLogs } from '../../api/schema/node-config-view.ts';
import { addServerOption, type DefineCommand, type ServerOptions, toRestClient } from '../command-context.ts';
import { EXIT } from '../exit-code.ts';
import { formatSince, formatSize } from '../format.ts';
import { withNearestNode } from '../nearest.ts';
import { parseCount, parseWord } from '../parse-option.ts';
import { printAs } from '../print-as.ts';
import { toPath } from '../rest-client.ts';

interface Options extends ServerOptions {
  readonly lines: number;
  readonly output?: 'json';
}

const HELP = `
An Envoy gives its log to nobody over the network, so the server reads it from a file:
  attache serve --node-log-directory /var/log/envoy      and on its machine  envoy --log-path /var/log/envoy/edge-1.log
  attache node set edge-1 --log-file edge-1.log
Envoy writes that file out every 10 s, unless its --file-flush-interval-msec says otherwise.

Example:
  attache logs edge-1 --lines 100`;

/** `attache logs NODE`: what its plugins logged last. */
export const define: DefineCommand = (command, context, finish) => {
  addServerOption(command.description('print the last lines that the plugins of a node logged'))
    .argument('<node>', 'the id of the node')
    .option('--lines <n>', 'at most so many, up to 1000', parseCount, 50)
    .option('-o, --output <form>', 'json: with the file and when it was written', parseWord('json'))
    .addHelpText('after', HELP)
    .action(async (node: string, options: Options) => {
      const client = toRestClient(options, context);
      const path = `${toPath('v1', 'nodes', node, 'logs')}?lines=${options.lines}`;
      const logs = await withNearestNode(client, node, () => client.get<NodeLogs>(path));
      if (options.output === 'json') printAs('json', logs, context);
      else if (logs.lines.length > 0) context.out(logs.lines.join('\n'));
      const { file, writtenAt, lookedAtBytes, lines } = logs;
      const where = lookedAtBytes === null ? file : `the last ${formatSize(lookedAtBytes)} of ${file}`;
      const what = lines.length === 0 ? 'no line of a plugin in' : 'from';
      context.err(`note: ${what} ${where}, written ${formatSince(writtenAt, Date.now())} ago`);
      finish(EXIT.done);
    });
};
