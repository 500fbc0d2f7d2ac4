import { InvalidArgumentError } from 'commander';
import { parseAddress } from '../../config.ts';
import type { DefineCommand } from '../command-context.ts';
import { toExampleListener } from '../example-listener.ts';
import { EXIT } from '../exit-code.ts';
import { parsePort } from '../parse-option.ts';

/** `attache example listener`: documents to start from, for `apply -f`. */
export const define: DefineCommand = (command, context, finish) => {
  command
    .description('print documents to start from')
    .addHelpText('after', '\nExample:\n  attache example listener --port 10000 --upstream 127.0.0.1:3000');
  command
    .command('listener')
    .description('a listener, its routes and their cluster, for attache apply -f')
    .requiredOption('--port <port>', 'where the listener listens', parsePort)
    .requiredOption('--upstream <host:port>', 'where everything goes', parseUpstream)
    .option('--address <ip>', 'address the listener binds', '127.0.0.1')
    .option('--name <name>', 'name of the listener', 'ingress')
    .addHelpText(
      'after',
      '\nExample:\n  attache example listener --port 10000 --upstream 127.0.0.1:3000 | attache apply -f -',
    )
    .action((options: { port: number; upstream: Upstream; address: string; name: string }) => {
      const listen = { host: options.address, port: options.port };
      context.out(toExampleListener(options.name, listen, options.upstream).trimEnd());
      finish(EXIT.done);
    });
};

type Upstream = NonNullable<ReturnType<typeof parseAddress>>;

function parseUpstream(text: string): Upstream {
  const address = parseAddress(text);
  if (address === undefined) throw new InvalidArgumentError('expected HOST:PORT, e.g. 127.0.0.1:3000');
  return address;
}
