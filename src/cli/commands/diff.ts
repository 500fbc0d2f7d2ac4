import type { NodeView } from '../../api/schema/node-view.ts';
import type { Plan } from '../../api/schema/plan-view.ts';
import { applyNodeGroup } from '../apply-node-group.ts';
import { planDocuments } from '../apply-plan.ts';
import { CliError } from '../cli-error.ts';
import {
  addServerOption,
  type CommandContext,
  type DefineCommand,
  type ServerOptions,
  toRestClient,
} from '../command-context.ts';
import { EXIT } from '../exit-code.ts';
import { localizeTimes } from '../format.ts';
import { describeFaults, makePlan } from '../make-plan.ts';
import { withNearestNode } from '../nearest.ts';
import { describeNodeDiff, diffNode } from '../node-diff.ts';
import { parseWord } from '../parse-option.ts';
import { describePlan, listPlanWarnings } from '../plan-text.ts';
import { printAs } from '../print-as.ts';
import { readDocuments } from '../read-documents.ts';
import { toPath } from '../rest-client.ts';
import { wrapWarning } from '../warning.ts';

interface Options extends ServerOptions {
  readonly file?: readonly string[];
  readonly namespace?: string;
  readonly output?: 'json' | 'yaml';
}

const HELP = `
Exit codes: 0 no differences, 3 differences, 1 a document or its module cannot be used.

Of a node: what it has against what it should have. Exit codes: 0 as it should be, 3 differences, or not connected
and so not known.

Examples:
  attache diff -f plugin.yaml
  attache diff node edge-1`;

/** `attache diff -f`: everything that apply would do, up to Envoy, and nothing changed. `attache diff node ID`. */
export const define: DefineCommand = (command, context, finish) => {
  addServerOption(command.description('say what apply would change, or what a node has not; changes nothing'))
    .argument('[kind]', 'node: what it has against what it should have')
    .argument('[id]', 'the id of the node')
    .option('-f, --file <path...>', 'files, folders, or - for stdin')
    .option('-n, --namespace <ns>', 'namespace of documents that name none (default "default")')
    .option(
      '-o, --output <form>',
      'json|yaml: the plan, or the differences, as data',
      parseWord('json', 'yaml'),
    )
    .addHelpText('after', HELP)
    .action(async (kind: string | undefined, id: string | undefined, options: Options) => {
      if (kind === undefined && options.file !== undefined)
        finish(await diff(options, options.file, context));
      else if (kind !== undefined && /^nodes?$/i.test(kind) && id !== undefined && options.file === undefined)
        finish(await diffOfNode(id, options, context));
      else throw new CliError('bad-usage', 'expected -f FILE, or node ID', { hint: 'attache diff --help' });
    });
};

async function diffOfNode(id: string, options: Options, context: CommandContext): Promise<number> {
  const client = toRestClient(options, context);
  const view = await withNearestNode(client, id, () => client.get<NodeView>(toPath('v1', 'nodes', id)));
  const found = diffNode(view);
  if (options.output === undefined) context.out(describeNodeDiff(found).join('\n'));
  else printAs(options.output, found, context);
  return found.differs ? EXIT.differences : EXIT.done;
}

async function diff(options: Options, files: readonly string[], context: CommandContext): Promise<number> {
  const sources = readDocuments(files);
  if (sources.length === 0) throw new CliError('bad-file', `${files.join(', ')}: no documents`);
  const client = toRestClient(options, context);
  const { planned, faults } = planDocuments(sources, options.namespace);
  const secrets = planned.filter(({ kind }) => kind === 'pullsecret');
  if (secrets.length > 0) context.err('note: pull secrets are not compared: what is stored is never shown');
  const made = faults.length > 0 ? { faults } : await makePlan(client, planned, { modules: true });
  if ('faults' in made) {
    context.err(describeFaults(made.faults).join('\n'));
    return EXIT.error;
  }
  // Data alone to stdout.
  const notes = options.output === undefined ? context : { ...context, out: context.err };
  const groups = [];
  for (const document of planned.filter(({ kind }) => kind === 'nodegroup'))
    groups.push(await applyNodeGroup(client, document, { dryRun: true }, notes));
  const { plan } = made;
  for (const warning of listPlanWarnings(plan)) context.err(localizeTimes(wrapWarning(warning), Date.now()));
  if (options.output === undefined) context.out(describePlan(plan, Date.now()).join('\n'));
  else printAs(options.output, plan, context);
  const code = toDiffExitCode(plan);
  return code === EXIT.done && groups.some(({ result }) => result !== 'unchanged') ? EXIT.differences : code;
}

/** 3 where something would change, 1 where something cannot be used. */
export function toDiffExitCode({ items, differs }: Plan): number {
  if (items.some(({ result }) => result === 'failed')) return EXIT.error;
  return differs ? EXIT.differences : EXIT.done;
}
