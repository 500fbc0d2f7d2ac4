import type { PluginApplyAnswer, PluginView } from '../../api/schema/plugin-view.ts';
import type { ResourceApplyAnswer, ResourceView } from '../../api/schema/resource-view.ts';
import { type LocatedFault, locateFault, type PlannedDocument, planDocuments } from '../apply-plan.ts';
import {
  type Report,
  reportPlugin,
  reportRefusals,
  reportResource,
  reportSettled,
  reportStored,
} from '../apply-report.ts';
import { CliError } from '../cli-error.ts';
import {
  addServerOption,
  type CommandContext,
  type DefineCommand,
  type ServerOptions,
  toRestClient,
} from '../command-context.ts';
import { EXIT, worstExitCode } from '../exit-code.ts';
import { formatSeconds } from '../format.ts';
import { readMinorVersions } from '../node-versions.ts';
import { pollUntil } from '../poll.ts';
import { readDocuments } from '../read-documents.ts';
import { type RestClient, RestError } from '../rest-client.ts';

/** How long an `apply` waits for the module to be fetched and checked. */
const CHECK_TIMEOUT_MS = 60_000;
/** A source that does not answer is told after a few tries; the server goes on trying. */
const RETRYING_PATIENCE_MS = 10_000;
/** How long `--wait` waits for the nodes. */
const SETTLE_TIMEOUT_MS = 10 * 60_000;
/** A raw resource has no steps: a refusal comes within moments or not at all. */
const REFUSAL_WINDOW_MS = 3_000;

interface Options extends ServerOptions {
  readonly file: readonly string[];
  readonly namespace?: string;
  readonly message?: string;
  /** true, `--wait`; false, `--no-wait`. */
  readonly wait?: boolean;
}

/** `attache apply -f`: all documents are validated before any is stored. */
export const define: DefineCommand = (command, context, finish) => {
  addServerOption(command.description('create or change plugins and Envoy resources'))
    .requiredOption('-f, --file <path...>', 'files, folders, or - for stdin')
    .option('-n, --namespace <ns>', 'namespace of documents that name none (default "default")')
    .option('-m, --message <text>', 'why; kept in the history')
    .option('--wait', 'wait until the nodes run it, or went back')
    .option('--no-wait', 'do not even wait until the module is checked')
    .addHelpText('after', '\nExample:\n  attache apply -f plugin.yaml -m "realm for laptops" --wait')
    .action(async (options: Options) => finish(await apply(options, context)));
};

async function apply(options: Options, context: CommandContext): Promise<number> {
  const sources = readDocuments(options.file);
  if (sources.length === 0) throw new CliError('bad-file', `${options.file.join(', ')}: no documents`);
  const client = toRestClient(options, context);
  const { planned, faults } = planDocuments(sources, options.namespace);
  const refused = [...faults, ...(await validate(client, planned))];
  if (refused.length > 0) return printFaults(refused, context);
  const codes: number[] = [];
  for (const document of planned) codes.push(await applyOne(client, document, options, context));
  return worstExitCode(codes);
}

/** Asks the server about every document before one is stored. */
async function validate(
  client: RestClient,
  planned: readonly PlannedDocument[],
): Promise<readonly LocatedFault[]> {
  const faults: LocatedFault[] = [];
  for (const { source, path, body } of planned) {
    try {
      await client.put(`${path}?dryRun=true`, body);
    } catch (error) {
      if (!(error instanceof RestError) || error.status >= 500) throw error;
      const { code, message, hint } = error;
      const whole = { pointer: '', message, ...(hint === undefined ? {} : { hint }) };
      const found = error.faults.length > 0 ? error.faults : [whole];
      faults.push(...found.map(fault => locateFault(source, fault, code)));
    }
  }
  return faults;
}

function printFaults(faults: readonly LocatedFault[], context: CommandContext): number {
  for (const { line } of faults) context.err(`error: ${line}`);
  const codes = [...new Set(faults.map(fault => fault.code).filter(code => code !== undefined))];
  const where = codes.map(code => `docs/errors.md#${code}`).join(', ');
  context.err(`nothing was changed${codes.length > 0 ? `   (code ${codes.join(', ')}, ${where})` : ''}`);
  return EXIT.error;
}

async function applyOne(
  client: RestClient,
  document: PlannedDocument,
  options: Options,
  context: CommandContext,
): Promise<number> {
  const query = options.message === undefined ? '' : `?message=${encodeURIComponent(options.message)}`;
  const path = document.path + query;
  if (document.kind === 'resource') {
    const answer = await client.put<ResourceApplyAnswer>(path, document.body);
    printWarnings(answer.warnings, context);
    const code = print(reportResource(document.word, answer.result, answer), context);
    return options.wait ? worstExitCode([code, await waitForRefusal(client, document, context)]) : code;
  }
  const answer = await client.put<PluginApplyAnswer>(path, document.body);
  printWarnings(answer.warnings, context);
  if (options.wait === false) return print(reportStored(answer.result, answer), context);
  return followPlugin(client, document, answer, options, context);
}

async function followPlugin(
  client: RestClient,
  document: PlannedDocument,
  { result }: PluginApplyAnswer,
  options: Options,
  context: CommandContext,
): Promise<number> {
  const startedAt = performance.now();
  const ask = () => client.get<PluginView>(document.path);
  const isAnswered = ({ status }: PluginView): boolean =>
    status.phase !== 'Validating' ||
    (status.code !== undefined && performance.now() - startedAt > RETRYING_PATIENCE_MS);
  const checked = await pollUntil(ask, isAnswered, CHECK_TIMEOUT_MS);
  const view = checked.answer;
  const code = print(reportPlugin(result, view, await readMinorVersions(client, view)), context);
  if (!options.wait || code !== EXIT.done) return code;
  const settled = await pollUntil(ask, one => one.status.settled, SETTLE_TIMEOUT_MS);
  return print(reportSettled(settled.answer, formatSeconds(performance.now() - startedAt)), context);
}

async function waitForRefusal(
  client: RestClient,
  document: PlannedDocument,
  context: CommandContext,
): Promise<number> {
  const ask = () => client.get<ResourceView>(document.path);
  const { answer } = await pollUntil(ask, view => view.status.nodes.refused > 0, REFUSAL_WINDOW_MS);
  return print(reportRefusals(answer), context);
}

function printWarnings(warnings: readonly string[], context: CommandContext): void {
  for (const warning of warnings) context.err(`warning: ${warning}`);
}

function print(report: Report, context: CommandContext): number {
  if (report.lines.length > 0) context.out(report.lines.join('\n'));
  return report.code;
}
