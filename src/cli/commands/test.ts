import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { toMessage } from '../../model/error.ts';
import { CliError } from '../cli-error.ts';
import type { CommandContext, DefineCommand } from '../command-context.ts';
import { EXIT } from '../exit-code.ts';
import { parseWord } from '../parse-option.ts';
import { compilePlugin } from '../plugin/compile-plugin.ts';
import { findDisappointments, findWrongLengths } from '../plugin/expectation.ts';
import { readRequestFile } from '../plugin/request-file.ts';
import { describeRun, isGood, type JudgedRun } from '../plugin/run-report.ts';
import { printAs } from '../print-as.ts';

interface Options {
  readonly request?: string;
  readonly output?: 'json' | 'yaml';
  readonly json?: true;
}

/** Beside the plugin's source, where no other is named. */
const REQUEST_FILE = 'requests.yaml';

/** `attache test [DIR|FILE] --request FILE`: the plugin against requests, in the host in which every trial runs. */
export const define: DefineCommand = (command, context, finish) => {
  command
    .description('run a plugin against a file of requests, without an Envoy')
    .argument('[what]', 'the folder of a plugin, which is built before, or a .wasm file', '.')
    .option(
      '--request <file>',
      `requests, answers and what is expected (default ${REQUEST_FILE} in the folder)`,
    )
    .option('-o, --output <form>', 'json|yaml: all that happened', parseWord('json', 'yaml'))
    .option('--json', 'the same as -o json')
    .addHelpText('after', HELP)
    .action(async (what: string, options: Options) => finish(await test(what, options, context)));
};

const HELP = `
It prints what the plugin changed, answered, called and logged. Exit 0: it lived and did what the file expects; 1: not.
One worker of an Envoy is run, with a clock that only the file moves. The host functions answer as Envoy's do.

Example:
  attache test build/auth.wasm --request requests.yaml`;

async function test(what: string, options: Options, context: CommandContext): Promise<number> {
  const isFolder = existsSync(what) && statSync(what).isDirectory();
  const file = options.request ?? (isFolder ? join(what, REQUEST_FILE) : REQUEST_FILE);
  const name = basename(resolve(what)).replace(/\.wasm$/, '');
  const { plan, expectations } = readRequestFile(file, `default/${name}`);
  const bytes = isFolder ? await compilePlugin(what) : readModule(what);
  const run = await context.ports.runPlugin(bytes, plan);
  const disappointments = run.exchanges.map((exchange, i) => {
    const expected = expectations[i];
    const unmet = expected === undefined ? [] : findDisappointments(expected, exchange);
    return [...findWrongLengths(exchange), ...unmet];
  });
  const judged: JudgedRun = { plugin: name, run, disappointments, asked: plan.steps.length };
  const output = options.output ?? (options.json === true ? 'json' : undefined);
  if (output === undefined) context.out(describeRun(judged));
  else printAs(output, toData(judged), context);
  return isGood(judged) ? EXIT.done : EXIT.error;
}

function toData(judged: JudgedRun) {
  const { plugin, run, disappointments } = judged;
  const exchanges = run.exchanges.map((exchange, i) => ({ ...exchange, failures: disappointments[i] ?? [] }));
  return { plugin, ok: isGood(judged), ...run, exchanges };
}

function readModule(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new CliError('bad-file', `${path}: ${toMessage(cause)}`, { cause });
  }
}
