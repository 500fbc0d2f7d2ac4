import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { InvalidArgumentError } from 'commander';
import { type ListenAddress, parseAddress } from '../../config.ts';
import { toMessage } from '../../model/error.ts';
import { DEFAULTS } from '../../settings.ts';
import { CliError } from '../cli-error.ts';
import {
  addServerOption,
  type CommandContext,
  type DefineCommand,
  type ServerOptions,
  toRestClient,
} from '../command-context.ts';
import { examineData, findServer } from '../doctor/ask-data.ts';
import { examineEnvoy } from '../doctor/ask-envoy.ts';
import { examineServer } from '../doctor/ask-server.ts';
import { examineBootstrap } from '../doctor/examine-bootstrap.ts';
import { countFindings, describeReports, type Finding, ok, problem, type Report } from '../doctor/finding.ts';
import { judgeRuntime } from '../doctor/judge-server.ts';
import { findOwnEnvoy, readEnvoyVersion } from '../envoy-binary.ts';
import { EXIT } from '../exit-code.ts';
import { parseWord } from '../parse-option.ts';
import { printAs } from '../print-as.ts';
import { readStdin } from '../read-stdin.ts';

interface Options extends ServerOptions {
  readonly bootstrap?: string;
  readonly admin?: ListenAddress;
  readonly data?: string;
  readonly output?: 'json' | 'yaml';
}

const EXAMPLES = `
Examples:
  attache doctor                               # the server, this machine, ./attache-data
  attache doctor --bootstrap managed.yaml
  attache doctor --admin 127.0.0.1:9901
  attache doctor --server https://attache.internal:18002

Exit code 1 where something does not work or is open to strangers; warnings alone are 0. It changes nothing.`;

/** `attache doctor`: what is wrong with a bootstrap, a running Envoy, a running control plane. */
export const define: DefineCommand = (command, context, finish) => {
  addServerOption(command.description('say what is wrong with a bootstrap, an Envoy or the server'))
    .option('--bootstrap <file>', 'look at this Envoy bootstrap')
    .option('--admin <host:port>', 'look at the running Envoy with this admin interface', parseAdmin)
    .option('--data <dir>', "look at the server's data directory, on this machine")
    .option('-o, --output <form>', 'json|yaml: as data', parseWord('json', 'yaml'))
    .addHelpText('after', EXAMPLES)
    .action(async (options: Options) => finish(await doctor(options, context)));
};

async function doctor(options: Options, context: CommandContext): Promise<number> {
  const reports = await examineAll(options, context);
  const [problems, warnings] = [countFindings(reports, 'problem'), countFindings(reports, 'warning')];
  if (options.output === undefined) context.out(describeReports(reports));
  else printAs(options.output, { problems, warnings, reports }, context);
  return problems > 0 ? EXIT.error : EXIT.done;
}

/** What was named; where nothing was, what is found. */
async function examineAll(options: Options, context: CommandContext): Promise<readonly Report[]> {
  const { bootstrap, admin, data, server, context: named } = options;
  const isNamed = [bootstrap, admin, data, server, named].some(one => one !== undefined);
  const reports: Report[] = [];
  if (bootstrap !== undefined)
    reports.push(await examineBootstrap(await readBootstrapFile(bootstrap, context)));
  if (admin !== undefined) reports.push(await examineEnvoy(admin));
  const directory = data ?? (isNamed ? undefined : DEFAULTS.data);
  const found = directory === undefined ? undefined : await findServer(directory);
  if (directory !== undefined && (data !== undefined || found !== undefined))
    reports.push(await examineData(directory));
  const isMeant = !isNamed || server !== undefined || named !== undefined;
  if (isMeant || found !== undefined) {
    // Who names a data directory and no server means the one on it.
    const connection = isMeant ? options : { server: found, caFile: options.caFile };
    reports.push(await examineServer(toRestClient(connection, context), context.version));
  }
  if (!isNamed) reports.push(await examineMachine(context));
  return reports;
}

async function examineMachine({ env, version }: CommandContext): Promise<Report> {
  const runtime = judgeRuntime(process.versions.node, 'this program runs on');
  return { about: `this machine, attache ${version}`, findings: [...runtime, await judgeOwnEnvoy(env)] };
}

async function judgeOwnEnvoy(env: CommandContext['env']): Promise<Finding> {
  try {
    const envoy = await findOwnEnvoy(env);
    if (envoy === undefined) return ok('own-envoy', 'no Envoy on the PATH');
    const version = await readEnvoyVersion(envoy);
    return ok('own-envoy', `Envoy ${version} (${envoy})`);
  } catch (error) {
    return problem('own-envoy', `${toMessage(error)}: correct $ATTACHE_ENVOY or the PATH`);
  }
}

async function readBootstrapFile(name: string, { env }: CommandContext) {
  const isStdin = name === '-';
  try {
    const text = isStdin ? readStdin() : readFileSync(name, 'utf8');
    return { name, text, path: isStdin ? undefined : resolve(name), envoy: await findOwnEnvoy(env) };
  } catch (cause) {
    throw new CliError('bad-file', `${name}: ${toMessage(cause)}`, { cause });
  }
}

/** A URL as the page of the admin interface has it is as good. */
function parseAdmin(text: string): ListenAddress {
  const address = parseAddress(text.replace(/^http:\/\//, '').replace(/\/$/, ''));
  if (address === undefined) throw new InvalidArgumentError('expected HOST:PORT, e.g. 127.0.0.1:9901');
  return address;
}
