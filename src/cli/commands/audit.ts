import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { AuditList, AuditVerification } from '../../api/schema/audit-view.ts';
import type { AuditEntry, AuditHead } from '../../model/audit.ts';
import { type BrokenEntry, type ChainEnd, followChain, isBroken } from '../../model/audit-chain.ts';
import { toMessage } from '../../model/error.ts';
import { formatAuditEntry } from '../audit-line.ts';
import { CliError } from '../cli-error.ts';
import {
  addServerOption,
  type CommandContext,
  type DefineCommand,
  type ServerOptions,
  toRestClient,
} from '../command-context.ts';
import { EXIT } from '../exit-code.ts';
import { parseWord } from '../parse-option.ts';
import type { RestClient } from '../rest-client.ts';

interface Options extends ServerOptions {
  readonly since?: string;
  readonly until?: string;
  readonly actor?: string;
  readonly subject?: string;
  readonly action?: string;
  readonly result?: 'done' | 'held-back' | 'denied';
  readonly output?: 'json';
  readonly verify?: string | true;
  readonly known?: string;
}

/** What is shown where nobody asked for a time. */
const USUAL_COUNT = 100;
const PAGE = 500;
const RESULTS = ['done', 'held-back', 'denied'] as const;

const EXAMPLES = `
Examples:
  attache audit --since 2h -o json > audit.jsonl
  attache audit --subject edge/auth --result denied
  attache audit --verify`;

/** `attache audit`: who changed what, what was refused, and what was decided. */
export const define: DefineCommand = (command, context, finish) => {
  addServerOption(
    command.description('tell who changed what, what was refused, and what was decided; oldest first'),
  )
    .option('--since <when>', 'from then on: 2h, or a time (default: the last 100; with -o json: all)')
    .option('--until <when>', 'up to then: 2h (ago), or a time')
    .option('--actor <name>', 'only by this person or token, or on behalf of it; attache: by itself')
    .option('--subject <name>', 'only about this: edge/auth, a rollout, a node')
    .option('--action <word>', 'only actions that begin with it, e.g. rollout')
    .option('--result <word>', `only ${RESULTS.join(', ')}`, parseWord(...RESULTS))
    .option('-o, --output <form>', 'json: one entry a line, as it was hashed', parseWord('json'))
    .option('--verify [file]', 'say whether any entry was changed or is gone; of a file that -o json wrote')
    .option('--known <number:hash>', 'with --verify: an entry that you kept, so that a new chain is noticed')
    .addHelpText('after', EXAMPLES)
    .action(async (options: Options) => finish(await audit(options, context)));
};

function audit(options: Options, context: CommandContext): Promise<number> {
  const { verify } = options;
  if (options.known !== undefined && verify !== true)
    throw new CliError('bad-usage', '--known goes with --verify, and not with a file');
  if (typeof verify === 'string') return verifyFile(verify, context);
  const client = toRestClient(options, context);
  if (verify === true) return verifyServer(client, options.known, context);
  return options.output === 'json' ? exportAll(client, options, context) : tell(client, options, context);
}

function toQuery({ since, until, actor, subject, action, result }: Options): string[] {
  return Object.entries({ since, until, actor, subject, action, result }).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key}=${encodeURIComponent(value)}`],
  );
}

/** All pages where a time was asked for. */
async function tell(client: RestClient, options: Options, context: CommandContext): Promise<number> {
  const all = options.since !== undefined;
  const entries: AuditEntry[] = [];
  let cursor: string | null = null;
  do {
    const query = [...toQuery(options), `limit=${all ? PAGE : USUAL_COUNT}`];
    if (cursor !== null) query.push(`cursor=${cursor}`);
    const page: AuditList = await client.get<AuditList>(`/v1/audit?${query.join('&')}`);
    entries.push(...(page.items as AuditEntry[]));
    cursor = all ? page.next : null;
  } while (cursor !== null);
  for (const entry of entries.toReversed()) context.out(formatAuditEntry(entry, Date.now()));
  return EXIT.done;
}

/** Line by line as they come: the audit may be longer than what fits into memory. */
async function exportAll(client: RestClient, options: Options, context: CommandContext): Promise<number> {
  const query = [...toQuery(options), 'format=jsonl'].join('&');
  const decoder = new TextDecoder();
  let rest = '';
  for await (const bytes of client.download(`/v1/audit?${query}`)) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    if (lines.length > 0) context.out(lines.join('\n'));
  }
  return EXIT.done;
}

async function verifyServer(
  client: RestClient,
  known: string | undefined,
  { out }: CommandContext,
): Promise<number> {
  const query = known === undefined ? '' : `?known=${encodeURIComponent(known)}`;
  const { head, broken } = await client.get<AuditVerification>(`/v1/audit/verification${query}`);
  if (broken !== null) throw toBrokenError(broken);
  out(head.number === 0 ? 'intact: there is no entry yet' : `intact: entries 1 to ${toHeadText(head)}`);
  if (head.number > 0)
    out(
      `keep this elsewhere; later it shows that none of them was changed: attache audit --verify --known ${head.number}:${head.hash}`,
    );
  return EXIT.done;
}

/** The file begins with whatever entry it has; from there on it has to be whole. */
async function verifyFile(path: string, { out }: CommandContext): Promise<number> {
  let first: number | undefined;
  let end: ChainEnd | undefined;
  for await (const entry of readEntries(path)) {
    first ??= entry.number;
    const next = followChain(end ?? { number: entry.number - 1, hash: entry.previous }, [entry]);
    if (isBroken(next)) throw toBrokenError(next);
    end = next;
  }
  if (end === undefined) throw new CliError('bad-file', `${path}: there is no entry in it`);
  out(`intact: entries ${first} to ${toHeadText(end)}`);
  if (first !== 1) out(`of the entries before ${first} the file tells nothing`);
  return EXIT.done;
}

async function* readEntries(path: string): AsyncGenerator<AuditEntry> {
  const input = createReadStream(path);
  try {
    let number = 0;
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      number += 1;
      if (line.trim() !== '') yield toEntry(path, number, line);
    }
  } catch (cause) {
    if (cause instanceof CliError) throw cause;
    throw new CliError('bad-file', `${path}: ${toMessage(cause)}`, { cause });
  } finally {
    input.destroy();
  }
}

function toEntry(path: string, line: number, text: string): AuditEntry {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'AuditEntry')
      return value as AuditEntry;
  } catch {
    // Said below.
  }
  throw new CliError('bad-file', `${path}:${line}: not an entry as attache audit -o json writes it`);
}

function toHeadText({ number, hash }: AuditHead): string {
  return `${number}, the last with the hash ${hash}`;
}

function toBrokenError({ number, text }: BrokenEntry): CliError {
  return new CliError('audit-broken', `the audit is not as it was written, from entry ${number} on: ${text}`);
}
