import { writeFileSync } from 'node:fs';
import type { Conversion } from '../../model/convert/conversion.ts';
import { convertDocuments } from '../../model/convert/convert-documents.ts';
import { toMessage } from '../../model/error.ts';
import { CliError } from '../cli-error.ts';
import type { CommandContext, DefineCommand } from '../command-context.ts';
import { describeConversions, summarize, toConvertedYaml, toReportedNotes } from '../convert-report.ts';
import { EXIT } from '../exit-code.ts';
import { parseWord } from '../parse-option.ts';
import { readDocuments, type SourceDocument } from '../read-documents.ts';

interface Options {
  readonly file: readonly string[];
  readonly namespace?: string;
  readonly output?: 'yaml' | 'json';
  readonly report?: string;
}

const HELP = `
Takes WasmPlugin (Istio, Higress), TrafficExtension and EnvoyFilter with Wasm filters (Istio), ASMFilterDeployment
(Alibaba Cloud) and FilterDeployment (wasme), also in what kubectl get -o yaml prints. What belongs together goes into one call.
The plugins go to stdout, what could not be carried over to stderr. Other documents are left out.

Exit codes: 0 every document that holds a plugin was converted, look at the warnings; 1 one of them could not be, or
there was none. What could be converted is printed all the same.

Examples:
  attache convert -f istio/ > plugins.yaml && attache diff -f plugins.yaml
  kubectl get wasmplugins,envoyfilters -A -o yaml | attache convert -f - --report report.txt > plugins.yaml`;

/** `attache convert -f`: documents of other control planes as plugins, without a server. */
export const define: DefineCommand = (command, context, finish) => {
  command
    .description('turn plugins of Istio and others into documents for apply')
    .requiredOption('-f, --file <path...>', 'files, folders, or - for stdin')
    .option('-n, --namespace <ns>', 'namespace of documents that name none')
    .option(
      '-o, --output <form>',
      'yaml|json: json has the documents and the report',
      parseWord('yaml', 'json'),
    )
    .option('--report <file>', 'write what could not be carried over there; as JSON if it ends in .json')
    .addHelpText('after', HELP)
    .action((options: Options) => finish(convert(options, context)));
};

function convert({ file, namespace, output, report }: Options, context: CommandContext): number {
  const sources = readDocuments(file);
  const conversions = convertDocuments(
    sources.map(({ value }) => value),
    namespace === undefined ? {} : { namespace },
  );
  const plugins = conversions.flatMap(one => one.plugins.map(({ document }) => document));
  if (output === 'json') {
    const notes = toReportedNotes(conversions, sources);
    context.out(JSON.stringify({ documents: plugins, notes }, null, 2));
  } else if (plugins.length > 0) context.out(toConvertedYaml(conversions, sources).trimEnd());
  const lines = describeConversions(conversions, sources);
  if (report === undefined) context.err([...lines, ...summarize(conversions)].join('\n'));
  else {
    writeReport(report, lines, conversions, sources);
    context.err([...summarize(conversions), `All of it: ${report}`].join('\n'));
  }
  return toCode(conversions);
}

function toCode(conversions: readonly Conversion[]): number {
  if (conversions.some(({ notes }) => notes.some(({ level }) => level === 'error'))) return EXIT.error;
  if (conversions.some(({ plugins }) => plugins.length > 0)) return EXIT.done;
  throw new CliError('nothing-to-convert', 'no document holds a plugin', {
    hint: 'attache convert --help says what is taken.',
  });
}

function writeReport(
  path: string,
  lines: readonly string[],
  conversions: readonly Conversion[],
  sources: readonly SourceDocument[],
): void {
  const text = path.endsWith('.json')
    ? JSON.stringify({ notes: toReportedNotes(conversions, sources) }, null, 2)
    : [...lines, ...summarize(conversions)].join('\n');
  try {
    writeFileSync(path, `${text}\n`);
  } catch (cause) {
    throw new CliError('bad-file', `${path}: ${toMessage(cause)}`, { cause });
  }
}
