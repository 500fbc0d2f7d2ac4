import type { Command } from 'commander';
import type {
  WebhookApplyAnswer,
  WebhookRemoved,
  WebhookTested,
  WebhookView,
} from '../../api/schema/webhook-view.ts';
import { WEBHOOK_EVENTS, type WebhookEvent } from '../../model/webhook.ts';
import { addChangeOptions, type ChangeOptions, toQuery } from '../change-options.ts';
import {
  addServerOption,
  type CommandContext,
  type DefineCommand,
  type ServerOptions,
  toRestClient,
} from '../command-context.ts';
import { EXIT } from '../exit-code.ts';
import { parseWord } from '../parse-option.ts';
import { readList } from '../read-list.ts';
import { toPath } from '../rest-client.ts';
import { addOutputOption, type Output, showItems } from '../show-items.ts';
import { toEventsText, WEBHOOKS } from '../webhook-listing.ts';

interface AddOptions extends ServerOptions, ChangeOptions {
  readonly url: string;
  readonly event?: readonly WebhookEvent[];
  readonly plugins?: string;
}

interface ListOptions extends ServerOptions {
  readonly output: Output;
}

interface ChangeServerOptions extends ServerOptions, ChangeOptions {}

const HELP = `
Messages are signed as Standard Webhooks says, and sent until they are taken. What they look like: docs/webhooks.md

Examples:
  attache webhook add on-call --url https://hooks.example/services/T0/B0/x
  attache webhook test on-call`;

/** `attache webhook add|list|remove|test`: who is told what rollouts come to. */
export const define: DefineCommand = (command, context, finish) => {
  command.description('tell chats and pagers what rollouts come to').addHelpText('after', HELP);
  defineAdd(command.command('add'), context, finish);
  const list = command.command('list').description('list them, with what arrived last and what failed');
  addOutputOption(addServerOption(list))
    .addHelpText('after', '\nExample:\n  attache webhook list -o wide')
    .action(async ({ output, ...options }: ListOptions) => {
      const webhooks = await readList(toRestClient(options, context), '/v1/webhooks');
      showItems(WEBHOOKS, webhooks as readonly WebhookView[], output, context);
      finish(EXIT.done);
    });
  const remove = command.command('remove').description('it is told of nothing more');
  addChangeOptions(addServerOption(remove))
    .argument('<name>', 'the name of the webhook')
    .addHelpText('after', '\nExample:\n  attache webhook remove on-call -m "moved"')
    .action(async (name: string, { message, dryRun, ...options }: ChangeServerOptions) => {
      const path = toPath('v1', 'webhooks', name) + toQuery({ message, dryRun });
      context.out((await toRestClient(options, context).delete<WebhookRemoved>(path)).text);
      finish(EXIT.done);
    });
  const test = command.command('test').description('send one message, and say what became of it');
  addServerOption(test)
    .argument('<name>', 'the name of the webhook')
    .option('--dry-run', 'say where it would go, and send nothing')
    .addHelpText('after', '\nExample:\n  attache webhook test on-call')
    .action(async (name: string, { dryRun, ...options }: ServerOptions & { readonly dryRun?: true }) => {
      const path = toPath('v1', 'webhooks', name, 'test') + toQuery({ dryRun });
      const { text, delivered } = await toRestClient(options, context).post<WebhookTested>(path, undefined);
      context.out(text);
      finish(delivered || dryRun === true ? EXIT.done : EXIT.error);
    });
};

function defineAdd(command: Command, context: CommandContext, finish: (code: number) => void): void {
  addChangeOptions(
    addServerOption(command.description('add one, or change it; the key of a new one is printed this once')),
  )
    .argument('<name>', 'lower-case letters, digits, dashes and dots')
    .requiredOption('--url <url>', 'https://…; where messages are posted')
    .option('--event <word>', `one of ${WEBHOOK_EVENTS.join(', ')}; again for more (default: all)`, addEvent)
    .option('--plugins <prefix>', 'only plugins whose NAMESPACE/NAME begins so: edge/, edge/auth')
    .addHelpText(
      'after',
      '\nThe key goes to stdout, the rest to stderr.\n\nExample:\n' +
        '  attache webhook add edge-team --url https://ci.example/attache --event rolled-back --plugins edge/',
    )
    .action(async (name: string, { url, event, plugins, message, dryRun, ...options }: AddOptions) => {
      const path = toPath('v1', 'webhooks', name) + toQuery({ message, dryRun });
      const body = { url, events: event, plugins };
      report(await toRestClient(options, context).put<WebhookApplyAnswer>(path, body), context);
      finish(EXIT.done);
    });
}

function addEvent(text: string, before: readonly WebhookEvent[] = []): readonly WebhookEvent[] {
  return [...before, parseWord(...WEBHOOK_EVENTS)(text)];
}

function report(answer: WebhookApplyAnswer, { out, err }: CommandContext): void {
  const { name, url, events, plugins, result, secret, dryRun } = answer;
  const about = plugins === null ? '' : `, plugins ${plugins}…`;
  const verb = dryRun ? `would be ${result}` : result;
  const text = `webhook ${name} ${verb}: ${toEventsText(events)} events${about}, to ${url}`;
  if (secret === null) {
    out(dryRun ? `dry run: ${text}` : text);
    return;
  }
  err(text);
  err(`Messages are signed with this key, shown this once. Try it: attache webhook test ${name}`);
  out(secret);
}
