import { isIP } from 'node:net';
import { InvalidArgumentError } from 'commander';
import { CliError } from '../cli-error.ts';
import type { CommandContext, DefineCommand } from '../command-context.ts';
import { EXIT } from '../exit-code.ts';
import { createCa, issue, toCaFiles } from '../pki/pki-files.ts';

interface IssueOptions {
  readonly node?: string;
  readonly server?: readonly string[];
  readonly days: number;
  readonly replace?: true;
}

const TRUST_DOMAIN = /^[a-z0-9]([a-z0-9._-]{0,252}[a-z0-9])?$/;
/** What may stand in a SPIFFE id, and in the name of a file. */
const NODE_ID = /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,128}$/;
const HOST =
  /^(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$/;

/** `attache pki init DIR`, `attache pki issue --node ID|--server HOST DIR`. */
export const define: DefineCommand = (command, context, finish) => {
  command
    .description('make certificates for Attaché and its Envoys, for who has no CA')
    .addHelpText('after', '\nExample:\n  attache pki init pki');
  command
    .command('init')
    .description('make a CA')
    .argument('<dir>', 'where its certificate and key are to lie; made where it is not there')
    .option('--trust-domain <name>', 'what SPIFFE ids begin with', parseTrustDomain, 'attache.local')
    .addHelpText('after', '\nExample:\n  attache pki init pki')
    .action((directory: string, { trustDomain }: { trustDomain: string }) => {
      finish(init(directory, trustDomain, context));
    });
  command
    .command('issue')
    .description('make a certificate for a node, or for the server')
    .argument('<dir>', 'where the CA lies, and the certificate is to')
    .option('--node <id>', 'the node.id of an Envoy')
    .option(
      '--server <host>',
      'a name or address by which Envoys and people reach the server (repeatable)',
      addHost,
    )
    .option('--days <n>', 'how long it is valid', parseDays, 365)
    .option('--replace', 'put it in place of the one that is there: a renewal')
    .addHelpText(
      'after',
      '\nExamples:\n  attache pki issue --server attache.internal pki\n  attache pki issue --node edge-1 pki',
    )
    .action((directory: string, options: IssueOptions) => finish(issueOne(directory, options, context)));
};

function init(directory: string, trustDomain: string, context: CommandContext): number {
  const { cert, key } = createCa(directory, trustDomain, Date.now());
  context.out(`made ${cert}, the certificate of a CA for ${trustDomain}, valid for 10 years
made ${key}: whoever has it can be any node and the server. Keep it off them

Next:
  attache pki issue --server HOST ${directory}
  attache pki issue --node ID ${directory}`);
  return EXIT.done;
}

function issueOne(directory: string, options: IssueOptions, context: CommandContext): number {
  const { node, server, days, replace = false } = options;
  if ((node === undefined) === (server === undefined))
    throw new CliError('bad-usage', 'say who it is for: --node ID, or --server HOST');
  if (node !== undefined && (!NODE_ID.test(node) || ['ca', 'server'].includes(node)))
    throw new CliError(
      'bad-usage',
      `--node ${node}: expected letters, digits and . _ -, and not ca or server`,
      {
        hint: 'A node with another id can have a certificate of another name: attache node set ID --certificate NAME',
      },
    );
  const name = node ?? 'server';
  const names = (trustDomain: string) =>
    node === undefined ? (server ?? []) : [`spiffe://${trustDomain}/node/${node}`];
  const kind = node === undefined ? 'server' : 'node';
  const made = issue(directory, { kind, name, names, days, replace }, Date.now());
  const ca = toCaFiles(directory).cert;
  context.out(`made ${made.cert}, valid for ${days} days
made ${made.key}

Next:`);
  if (node === undefined)
    context.out(`  attache serve --xds-listen 0.0.0.0:18000 --modules-listen 0.0.0.0:18001 --advertise ${server?.[0]} \\
    --tls-cert ${made.cert} --tls-key ${made.key} --allow-plaintext api \\
    --node-auth mtls --client-ca ${ca} --node-identity 'spiffe://${made.trustDomain}/node/{id}'`);
  else
    context.out(`  attache bootstrap --id ${node} --tls-ca ${ca} --tls-cert ${made.cert} --tls-key ${made.key} > ${node}.yaml
  Where the Envoy runs on another machine, copy these three files there, and name their places there.`);
  return EXIT.done;
}

function parseTrustDomain(text: string): string {
  if (TRUST_DOMAIN.test(text)) return text;
  throw new InvalidArgumentError('expected lower-case letters, digits and . _ -');
}

function parseDays(text: string): number {
  const days = Number(text);
  if (Number.isInteger(days) && days >= 1 && days <= 3650) return days;
  throw new InvalidArgumentError('expected 1 to 3650');
}

function addHost(text: string, before: readonly string[] = []): readonly string[] {
  if (isIP(text) === 0 && !HOST.test(text))
    throw new InvalidArgumentError('expected a host name or an address');
  return [...before, text];
}
