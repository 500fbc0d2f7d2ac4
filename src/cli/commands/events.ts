import type { EventList, EventView } from '../../api/schema/event-view.ts';
import {
  addServerOption,
  type CommandContext,
  type DefineCommand,
  type ServerOptions,
  toRestClient,
} from '../command-context.ts';
import { formatEvent } from '../event-line.ts';
import { EXIT } from '../exit-code.ts';
import { followEvents } from '../follow-events.ts';
import { formatClock } from '../format.ts';
import { parseWord } from '../parse-option.ts';
import type { RestClient } from '../rest-client.ts';
import { parseName } from '../target.ts';

interface Options extends ServerOptions {
  readonly since?: string;
  readonly follow?: true;
  readonly output?: 'json';
  readonly plugin?: string;
  readonly node?: string;
  readonly type?: string;
  readonly namespace?: string;
}

/** What is shown where nobody asked for a time. */
const USUAL_COUNT = 100;
const PAGE = 500;

/** `attache events`: what happened, oldest first. */
export const define: DefineCommand = (command, context, finish) => {
  addServerOption(command.description('tell what happened, oldest first'))
    .option(
      '--since <when>',
      'from then on: 2h, or a time such as 2026-07-01T03:00:00Z (default: the last 100)',
    )
    .option('-f, --follow', 'go on telling until Ctrl-C')
    .option('-o, --output <form>', 'json: one object a line', parseWord('json'))
    .option('--plugin <name>', 'only of this plugin')
    .option('--node <id>', 'only of this node')
    .option('--type <word>', 'only types that begin with it, e.g. rollout')
    .option('-n, --namespace <ns>', 'namespace of --plugin (default "default")')
    .addHelpText('after', '\nExample:\n  attache events --since 2h -o json > incident.jsonl')
    .action(async (options: Options) => finish(await tellEvents(options, context)));
};

async function tellEvents(options: Options, context: CommandContext): Promise<number> {
  const client = toRestClient(options, context);
  const { since, node, type, follow } = options;
  const plugin = options.plugin === undefined ? undefined : toFullName(options.plugin, options.namespace);
  const query = Object.entries({ since, plugin, node, type }).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key}=${encodeURIComponent(value)}`],
  );
  const print = (event: EventView) =>
    context.out(options.output === 'json' ? JSON.stringify(event) : formatEvent(event, Date.now()));
  if (follow) return follower(client, `/v1/events?${query.join('&')}`, print, context);
  for (const event of await readEvents(client, query, since !== undefined)) print(event);
  return EXIT.done;
}

/** Oldest first; all pages where a time was asked for. */
async function readEvents(
  client: RestClient,
  query: readonly string[],
  all: boolean,
): Promise<readonly EventView[]> {
  const events: EventView[] = [];
  let cursor: string | null = null;
  do {
    const page = [...query, `limit=${all ? PAGE : USUAL_COUNT}`];
    if (cursor !== null) page.push(`cursor=${cursor}`);
    const { items, next }: EventList = await client.get<EventList>(`/v1/events?${page.join('&')}`);
    events.push(...items);
    cursor = all ? next : null;
  } while (cursor !== null);
  return events.toReversed();
}

async function follower(
  client: RestClient,
  path: string,
  print: (event: EventView) => void,
  context: CommandContext,
): Promise<number> {
  const stop = new AbortController();
  const restore = context.onSignal(() => stop.abort());
  const note = (text: string) => context.err(`${formatClock(Date.now(), Date.now())} ${text}`);
  try {
    for await (const moment of followEvents(client, path, stop.signal)) {
      if (moment.kind === 'event') print(moment.event);
      else if (moment.kind === 'gap') note(moment.message);
      else if (moment.kind === 'lost') note(`lost ${client.server}, trying again`);
      else if (moment.kind === 'connected') note('connected again');
    }
    return EXIT.done;
  } finally {
    restore();
  }
}

function toFullName(text: string, namespace: string | undefined): string {
  const named = parseName(text, namespace);
  return `${named.namespace}/${named.name}`;
}
