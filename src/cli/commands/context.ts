import { resolve } from 'node:path';
import type { Command } from 'commander';
import { CliError } from '../cli-error.ts';
import type { CommandContext, DefineCommand } from '../command-context.ts';
import { resolveConnection } from '../connection.ts';
import { findContext, readContexts, type ServerContext, toContextsPath, writeContexts } from '../contexts.ts';
import { EXIT } from '../exit-code.ts';
import { NONE } from '../format.ts';
import type { Listing } from '../listings.ts';
import { addOutputOption, type Output, showItems } from '../show-items.ts';

interface SetOptions {
  readonly server?: string;
  readonly tokenFile?: string;
  readonly caFile?: string;
}

interface ListOptions {
  readonly output: Output;
}

const HELP = `
Which server a command talks to: --server or --context, else $ATTACHE_SERVER, else the context in use, else
http://127.0.0.1:18002. Its token: $ATTACHE_TOKEN, $ATTACHE_TOKEN_FILE, else that of the context. Its CA: --ca-file,
$ATTACHE_CA_FILE, else that of the context. A context gives its token and CA to no other server than its own.

Examples:
  attache context set prod --server https://attache.internal:18002 --token-file ~/.attache-prod --ca-file ca.pem
  attache context use prod`;

/** `attache context list|use|set|delete|current`: servers by name, in a file of the user's. */
export const define: DefineCommand = (command, context, finish) => {
  command.description('keep servers by name, and say which one is used').addHelpText('after', HELP);
  const add = (name: string, summary: string, example: string): Command =>
    command
      .command(name)
      .description(summary)
      .addHelpText('after', `\nExample:\n  attache context ${example}`);
  const end = (text: string) => {
    context.out(text);
    finish(EXIT.done);
  };
  addOutputOption(add('list', 'list them; * is the one in use', 'list')).action((options: ListOptions) => {
    list(options, context);
    finish(EXIT.done);
  });
  add('use', 'talk to this one from now on', 'use prod')
    .argument('<name>', 'a context')
    .action((name: string) => end(use(name, context)));
  add('set', 'add one, or change what is said', 'set prod --server https://attache.internal:18002')
    .argument('<name>', 'letters, digits and ._-')
    .option('--server <url>', 'the REST API; required for a new one')
    .option('--token-file <file>', 'holds the token; none: no token')
    .option('--ca-file <file>', 'PEM of the CA that signed its certificate; none: the usual ones')
    .action((name: string, options: SetOptions) => end(set(name, options, context)));
  add('delete', 'forget one', 'delete prod')
    .argument('<name>', 'a context')
    .action((name: string) => end(remove(name, context)));
  add('current', 'say which one is in use, and which server', 'current').action(() => end(tell(context)));
};

interface Row extends ServerContext {
  readonly name: string;
  readonly inUse: boolean;
}

const CONTEXTS: Listing<Row> = {
  name: ({ name }) => name,
  columns: [
    { heading: '', cell: ({ inUse }) => (inUse ? '*' : '') },
    { heading: 'NAME', cell: ({ name }) => name },
    { heading: 'SERVER', cell: ({ server }) => server },
    { heading: 'TOKEN', cell: ({ tokenFile }) => tokenFile ?? NONE },
    { heading: 'CA', cell: ({ caFile }) => caFile ?? NONE },
  ],
};

function list({ output }: ListOptions, context: CommandContext): void {
  const { contexts, current } = readContexts(context.env);
  const rows = Object.entries(contexts).map(([name, one]) => ({ name, inUse: name === current, ...one }));
  showItems(CONTEXTS, rows, output, context);
}

function use(name: string, { env }: CommandContext): string {
  const contexts = readContexts(env);
  const { server } = findContext(contexts, name);
  writeContexts(env, { ...contexts, current: name });
  const over = env.ATTACHE_SERVER ? `; $ATTACHE_SERVER (${env.ATTACHE_SERVER}) still wins over it` : '';
  return `in use: ${name}, ${server}${over}`;
}

function set(name: string, options: SetOptions, { env }: CommandContext): string {
  if (!/^\w[\w.-]{0,62}$/.test(name))
    throw new CliError('bad-usage', `${name}: a name is up to 63 letters, digits and ._-`);
  const contexts = readContexts(env);
  const before = Object.hasOwn(contexts.contexts, name) ? contexts.contexts[name] : undefined;
  const server = options.server ?? before?.server;
  if (server === undefined)
    throw new CliError('bad-usage', `there is no context ${name} yet: name its server`, {
      hint: `attache context set ${name} --server http://HOST:PORT`,
    });
  const kept = options.server === undefined || options.server === before?.server ? before : undefined;
  const changed: ServerContext = {
    server,
    ...toPart('tokenFile', options.tokenFile, kept?.tokenFile),
    ...toPart('caFile', options.caFile, kept?.caFile),
  };
  // Read as a command would read it: what cannot be used is not written.
  const { caFile, tokenFile } = changed;
  resolveConnection({ server, caFile }, { ATTACHE_TOKEN_FILE: tokenFile });
  writeContexts(env, {
    current: contexts.current ?? name,
    contexts: { ...contexts.contexts, [name]: changed },
  });
  const used = (contexts.current ?? name) === name ? ', in use' : `; attache context use ${name}`;
  return `context ${name}: ${server}${used}`;
}

/** What was said before holds for the same server only: another one is not to get its token. */
function toPart(key: 'tokenFile' | 'caFile', given: string | undefined, before: string | undefined) {
  if (given === 'none') return {};
  const path = given === undefined ? before : resolve(given);
  return path === undefined ? {} : { [key]: path };
}

function remove(name: string, { env }: CommandContext): string {
  const { current, contexts } = readContexts(env);
  findContext({ contexts }, name);
  const { [name]: _, ...rest } = contexts;
  writeContexts(env, {
    ...(current === undefined || current === name ? {} : { current }),
    contexts: rest,
  });
  return `context ${name} forgotten${current === name ? '; none is in use' : ''}`;
}

function tell({ env }: CommandContext): string {
  const { current } = readContexts(env);
  const { server } = resolveConnection({}, env);
  if (env.ATTACHE_SERVER) return `${server} ($ATTACHE_SERVER)`;
  return current === undefined ? `${server} (none is set: ${toContextsPath(env)})` : `${current}: ${server}`;
}
