import type { Plan } from '../../api/schema/plan-view.ts';
import type { PluginApplyAnswer } from '../../api/schema/plugin-view.ts';
import type { PullSecretApplyAnswer } from '../../api/schema/pull-secret-view.ts';
import type { ResourceApplyAnswer, ResourceView } from '../../api/schema/resource-view.ts';
import type { RolloutView } from '../../api/schema/rollout-view.ts';
import { applyNodeGroup } from '../apply-node-group.ts';
import { type LocatedFault, type PlannedDocument, planDocuments } from '../apply-plan.ts';
import { type Report, reportPlugin, reportRefusals, reportResource, reportStored } from '../apply-report.ts';
import { awaitChecked } from '../await-checked.ts';
import { addChangeOptions, type ChangeOptions, toQuery } from '../change-options.ts';
import { CliError } from '../cli-error.ts';
import {
  addServerOption,
  type CommandContext,
  type DefineCommand,
  type ServerOptions,
  toRestClient,
} from '../command-context.ts';
import { EXIT, worstExitCode } from '../exit-code.ts';
import { localizeTimes } from '../format.ts';
import { locateRefusal } from '../locate-refusal.ts';
import { describeFaults, makePlan } from '../make-plan.ts';
import { parseDuration, parseWord } from '../parse-option.ts';
import { describePlan, listPlanWarnings } from '../plan-text.ts';
import { pollUntil } from '../poll.ts';
import { readDocuments } from '../read-documents.ts';
import type { RestClient } from '../rest-client.ts';
import { createRolloutReader } from '../rollout/rollout-target.ts';
import { showRollout } from '../rollout/show-rollout.ts';
import { watchRollout } from '../rollout/watch-rollout.ts';
import { wrapWarning } from '../warning.ts';

/** A raw resource has no steps: a refusal comes within moments or not at all. */
const REFUSAL_WINDOW_MS = 3_000;
const PRESETS = ['cautious', 'standard', 'fast', 'all-at-once'] as const;

interface Options extends ServerOptions, ChangeOptions {
  readonly file: readonly string[];
  readonly namespace?: string;
  readonly preset?: string;
  /** true, `--wait`; false, `--no-wait`. */
  readonly wait?: boolean;
  readonly timeout?: number;
}

const HELP = `
Exit codes: 0 accepted or unchanged, 1 refused before any node, 6 still being checked, 4 held back;
with --wait as attache rollout status. Of several documents the worst code wins. --dry-run prints what attache diff
prints, and exits 0.

Example:
  attache apply -f plugin.yaml -m "realm for laptops" --wait`;

/** `attache apply -f`: all documents are validated before any is stored. */
export const define: DefineCommand = (command, context, finish) => {
  addChangeOptions(addServerOption(command.description('create or change plugins and Envoy resources')))
    .requiredOption('-f, --file <path...>', 'files, folders, or - for stdin')
    .option('-n, --namespace <ns>', 'namespace of documents that name none (default "default")')
    .option('--preset <name>', `for this rollout only: ${PRESETS.join('|')}`, parseWord(...PRESETS))
    .option('--wait', 'wait until the rollout ends, and draw it')
    .option('--no-wait', 'do not even wait until the module is checked')
    .option('--timeout <duration>', 'with --wait: leave after this time at the latest', parseDuration)
    .addHelpText('after', HELP)
    .action(async (options: Options) => finish(await apply(options, context)));
};

async function apply(options: Options, context: CommandContext): Promise<number> {
  if (options.timeout !== undefined && !options.wait)
    throw new CliError('bad-usage', '--timeout goes with --wait: without it nothing waits for long');
  const sources = readDocuments(options.file);
  if (sources.length === 0) throw new CliError('bad-file', `${options.file.join(', ')}: no documents`);
  const client = toRestClient(options, context);
  const { planned: found, faults } = planDocuments(sources, options.namespace);
  if (faults.length > 0) return printFaults(faults, context);
  // Whatever their order in the files: what a document needs is there before it.
  const planned = found.toSorted((a, b) => toOrder(a) - toOrder(b));
  const { preset, dryRun } = options;
  // Before one is stored the server looks at all; apply itself waits for the modules later.
  const made = await makePlan(client, planned, { preset, modules: dryRun === true });
  if ('faults' in made) return printFaults(made.faults, context);
  if (dryRun) {
    for (const document of planned)
      if (document.kind === 'pullsecret') await applyPullSecret(client, document, options, context);
      else if (document.kind === 'nodegroup') await applyNodeGroup(client, document, options, context);
    return made.plan.items.length === 0 ? EXIT.done : printPlan(made.plan, context);
  }
  // All are stored before one is waited for: what a listener needs may stand behind it.
  const outcomes: Outcome[] = [];
  for (const document of planned) outcomes.push(await applyOne(client, document, options, context));
  const codes = outcomes.map(({ code }) => code);
  for (const { follow } of outcomes) if (follow !== undefined) codes.push(await follow());
  return worstExitCode(codes);
}

/** A plugin needs its credentials and its groups when its module is fetched, a listener its routes, those their clusters. */
const ORDER = [
  'pull secret',
  'node group',
  'secret',
  'endpoint',
  'cluster',
  'route',
  'extension',
  'listener',
  'runtime',
  'plugin',
];

function toOrder({ word }: PlannedDocument): number {
  return ORDER.indexOf(word);
}

function printFaults(faults: readonly LocatedFault[], context: CommandContext): number {
  context.err(describeFaults(faults).join('\n'));
  return EXIT.error;
}

function printPlan(plan: Plan, context: CommandContext): number {
  printWarnings(listPlanWarnings(plan), context);
  context.out(describePlan(plan, Date.now()).join('\n'));
  return plan.items.some(({ result }) => result === 'failed') ? EXIT.error : EXIT.done;
}

interface Outcome {
  readonly code: number;
  /** Waits for the rest, with --wait; undefined: there is nothing to wait for. */
  readonly follow?: () => Promise<number>;
}

async function applyOne(
  client: RestClient,
  document: PlannedDocument,
  options: Options,
  context: CommandContext,
): Promise<Outcome> {
  const { message, preset } = options;
  if (document.kind === 'pullsecret') return applyPullSecret(client, document, options, context);
  if (document.kind === 'nodegroup') {
    await applyNodeGroup(client, document, options, context);
    return { code: EXIT.done };
  }
  if (document.kind === 'resource') {
    const path = document.path + toQuery({ message });
    const answer = await client.put<ResourceApplyAnswer>(path, document.body);
    printWarnings(answer.warnings, context);
    const code = print(reportResource(document.word, answer.result, answer), context);
    return options.wait ? { code, follow: () => awaitRefusal(client, document, context) } : { code };
  }
  const answer = await client.put<PluginApplyAnswer>(
    document.path + toQuery({ message, preset }),
    document.body,
  );
  printWarnings(answer.warnings, context);
  if (options.wait === false) return { code: print(reportStored(answer, Date.now()), context) };
  const applied = await awaitChecked(client, document.path, answer, line => context.err(line));
  const where = locateRefusal(document, applied.view.status);
  const code = print(reportPlugin({ ...applied, where }, Date.now(), options.wait), context);
  const { rollout } = applied;
  if (!options.wait || code !== EXIT.done || rollout === undefined) return { code };
  return { code, follow: () => awaitEnd(client, rollout, options, context) };
}

async function applyPullSecret(
  client: RestClient,
  document: PlannedDocument,
  { message, dryRun }: Options,
  context: CommandContext,
): Promise<Outcome> {
  const query = toQuery({ message, dryRun });
  const answer = await client.put<PullSecretApplyAnswer>(document.path + query, document.body);
  const { namespace, name } = answer.metadata;
  const done = `${answer.result}${dryRun ? ' (dry run)' : ''}`;
  context.out(`pull secret ${namespace}/${name} ${done}, for ${answer.status.registries.join(', ')}`);
  return { code: EXIT.done };
}

async function awaitEnd(
  client: RestClient,
  from: RolloutView,
  { timeout }: Options,
  context: CommandContext,
): Promise<number> {
  const reader = createRolloutReader(client, { id: from.id, plugin: from.plugin, byName: false });
  // It was seen already: a server that is away now is waited for.
  const moments = watchRollout(reader, { timeoutMs: timeout, from });
  return (await showRollout(moments, client.server, context)).code;
}

async function awaitRefusal(
  client: RestClient,
  document: PlannedDocument,
  context: CommandContext,
): Promise<number> {
  const ask = () => client.get<ResourceView>(document.path);
  const { answer } = await pollUntil(ask, view => view.status.nodes.refused > 0, REFUSAL_WINDOW_MS);
  return print(reportRefusals(answer), context);
}

function printWarnings(warnings: readonly string[], context: CommandContext): void {
  for (const warning of warnings) context.err(localizeTimes(wrapWarning(warning), Date.now()));
}

function print(report: Report, context: CommandContext): number {
  if (report.lines.length > 0) context.out(report.lines.join('\n'));
  return report.code;
}
