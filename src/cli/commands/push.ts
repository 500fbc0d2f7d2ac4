import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { toMessage } from '../../model/error.ts';
import { CliError } from '../cli-error.ts';
import {
  addServerOption,
  type CommandContext,
  type DefineCommand,
  type ServerOptions,
} from '../command-context.ts';
import { EXIT } from '../exit-code.ts';
import { formatDigest, formatSize } from '../format.ts';
import { parseNames } from '../parse-option.ts';
import { RestClient } from '../rest-client.ts';

interface Options extends ServerOptions {
  readonly insecureRegistry?: readonly string[];
}

/** `attache push FILE REF`: a module as an OCI artifact; without a host it goes to the built-in registry. */
export const define: DefineCommand = (command, context, finish) => {
  addServerOption(command.description('push a module to a registry'))
    .argument('<file>', 'the .wasm file')
    .argument('<reference>', 'NAME:TAG (the built-in registry) or HOST:PORT/NAME:TAG')
    .option('--insecure-registry <host:port>', 'speak plain HTTP to it (loopback always may)', parseNames)
    .addHelpText('after', '\nExample:\n  attache push build/auth.wasm auth:1.4')
    .action(async (file: string, reference: string, options: Options) =>
      finish(await push(file, reference, options, context)),
    );
};

async function push(file: string, text: string, options: Options, context: CommandContext): Promise<number> {
  const bytes = readModule(file);
  const { server } = RestClient.fromEnvironment(options.server, context.env);
  const target = toReference(text, server);
  const insecure = options.insecureRegistry ?? [];
  const { manifestDigest, moduleSha256 } = await context.ports.pushModule({
    bytes,
    reference: target.reference,
    // The built-in registry speaks what the API speaks.
    insecureRegistries: target.builtIn && server.startsWith('http:') ? [...insecure, target.host] : insecure,
    dockerConfigPath: join(context.env.DOCKER_CONFIG || join(homedir(), '.docker'), 'config.json'),
  });
  context.out(
    [
      `pushed ${formatSize(bytes.length)} to ${target.builtIn ? 'the built-in registry' : target.host}`,
      `  url: oci://${target.reference}`,
      `  digest: ${manifestDigest}   (module sha256 ${formatDigest(moduleSha256)})`,
    ].join('\n'),
  );
  return EXIT.done;
}

function readModule(file: string): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (cause) {
    throw new CliError('bad-file', `${file}: ${toMessage(cause)}`, { cause });
  }
  const magic = Buffer.from(bytes.subarray(0, 4)).toString('latin1');
  if (magic !== '\0asm') throw new CliError('bad-file', `${file}: not a Wasm module`);
  return bytes;
}

/** As docker decides it: what stands before the first slash is a host when it has a dot, a colon, or is localhost. */
export function toReference(
  text: string,
  server: string,
): { readonly reference: string; readonly host: string; readonly builtIn: boolean } {
  const bare = text.replace(/^oci:\/\//, '');
  const first = bare.split('/')[0] ?? '';
  const named = bare.includes('/') && (/[.:]/.test(first) || first === 'localhost');
  const host = named ? first : new URL(server).host;
  const rest = named ? bare.slice(first.length + 1) : bare;
  if (!/^[a-z0-9]+([._/-]+[a-z0-9]+)*(:[\w][\w.-]{0,127})?$/.test(rest))
    throw new CliError('bad-usage', `${text}: expected NAME:TAG or HOST:PORT/NAME:TAG`);
  const tagged = rest.includes(':') ? rest : `${rest}:latest`;
  return { reference: `${host}/${tagged}`, host, builtIn: host === new URL(server).host };
}
