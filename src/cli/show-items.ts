import type { Command } from 'commander';
import type { CommandContext } from './command-context.ts';
import { type Listing, toTable } from './listings.ts';
import { parseWord } from './parse-option.ts';
import { formatTable } from './table.ts';
import { toYaml } from './to-yaml.ts';

const OUTPUTS = ['table', 'wide', 'json', 'yaml', 'name'] as const;

/** The forms in which every list can be printed. */
export type Output = (typeof OUTPUTS)[number];

export function addOutputOption(command: Command): Command {
  return command.option('-o, --output <form>', OUTPUTS.join('|'), parseWord(...OUTPUTS), 'table');
}

/** A list to stdout. YAML is a document an item, as `apply -f` reads them. */
export function showItems<T>(
  listing: Listing<T>,
  items: readonly T[],
  output: Output,
  context: CommandContext,
): void {
  const text = formatItems(listing, items, output, Date.now());
  if (text !== '') context.out(text);
}

/** The same as text; empty where there is nothing to say. */
export function formatItems<T>(
  listing: Listing<T>,
  items: readonly T[],
  output: Output,
  nowMs: number,
): string {
  switch (output) {
    case 'table':
    case 'wide':
      return formatTable(toTable(listing, items, nowMs, output === 'wide'));
    case 'json':
      return JSON.stringify({ kind: 'List', items }, null, 2);
    case 'yaml':
      return items
        .map(item => toYaml(item))
        .join('---\n')
        .trimEnd();
    case 'name':
      return items.map(item => listing.name(item)).join('\n');
    default:
      return output satisfies never;
  }
}
