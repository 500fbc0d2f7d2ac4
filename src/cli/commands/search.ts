import type { CatalogueList } from '../../api/schema/catalogue-view.ts';
import { toNumberText } from '../../model/quantity-text.ts';
import { CATALOGUE } from '../catalogue-listing.ts';
import {
  addServerOption,
  type CommandContext,
  type DefineCommand,
  type ServerOptions,
  toRestClient,
} from '../command-context.ts';
import { EXIT } from '../exit-code.ts';
import { parseCount } from '../parse-option.ts';
import { printAs } from '../print-as.ts';
import type { RestClient } from '../rest-client.ts';
import { addOutputOption, type Output, showItems } from '../show-items.ts';

/** The most that the server answers at once. */
const PAGE = 500;

interface Options extends ServerOptions {
  readonly output: Output;
  readonly limit: number;
}

/** `attache search [TEXT]`: what the built-in registry has. */
export const define: DefineCommand = (command, context, finish) => {
  addOutputOption(addServerOption(command.description('look for modules in the built-in registry')))
    .argument('[text...]', 'words that all occur in name, tags or annotations; KEY=TEXT in that annotation')
    .option('--limit <count>', 'at most so many', parseCount, 200)
    .addHelpText('after', '\nExample:\n  attache search auth licenses=apache')
    .action(async (words: readonly string[], options: Options) =>
      finish(await search(words.join(' '), options, context)),
    );
};

async function search(text: string, options: Options, context: CommandContext): Promise<number> {
  const { items, total } = await read(toRestClient(options, context), text, options.limit);
  if (options.output === 'json' || options.output === 'yaml')
    printAs(options.output, { kind: 'CatalogueList', items, total }, context);
  else if (items.length > 0) showItems(CATALOGUE, items, options.output, context);
  if (total === 0) context.err(text === '' ? 'nothing was pushed yet' : `nothing matches ${text}`);
  if (total > items.length) context.err(`${toNumberText(total - items.length)} more: --limit ${total}`);
  return EXIT.done;
}

async function read(
  client: RestClient,
  text: string,
  limit: number,
): Promise<Pick<CatalogueList, 'items' | 'total'>> {
  const query = new URLSearchParams({ q: text, limit: String(Math.min(limit, PAGE)) });
  let page = await client.get<CatalogueList>(`/v1/catalogue?${query}`);
  const items = [...page.items];
  while (page.next && items.length < limit) {
    query.set('cursor', page.next);
    page = await client.get<CatalogueList>(`/v1/catalogue?${query}`);
    items.push(...page.items);
  }
  return { items: items.slice(0, limit), total: page.total };
}
