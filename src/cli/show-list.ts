import type { CommandContext } from './command-context.ts';
import { formatClock } from './format.ts';
import type { Kind } from './kinds.ts';
import { LiveFrame } from './rollout/live-frame.ts';
import type { Output } from './show-items.ts';
import { formatTable, widthsOf } from './table.ts';
import type { ListMoment } from './watch-list.ts';

/**
 * Shows a list that is watched: drawn over and over on a terminal, else whole once and then a line per change.
 * Of data it is a JSON object or a YAML document per change; what is gone is not told there.
 */
export async function showList(
  kind: Kind,
  moments: AsyncIterable<ListMoment>,
  output: Output,
  server: string,
  context: CommandContext,
): Promise<void> {
  const { screen } = context;
  const isLive = screen !== undefined && (output === 'table' || output === 'wide');
  const display = isLive ? toFrame(kind, output, new LiveFrame(screen)) : toLines(kind, output, context);
  for await (const moment of moments) {
    if (moment.kind === 'items') display.show(moment.items);
    else display.note(moment.kind === 'lost' ? `lost ${server}, trying again` : 'connected again');
  }
}

interface Display {
  show(items: readonly unknown[]): void;
  note(text: string): void;
}

function toFrame(kind: Kind, output: Output, frame: LiveFrame): Display {
  return {
    show: items => frame.draw(kind.format(items, output, Date.now()).split('\n')),
    note: text => frame.print(`${formatClock(Date.now(), Date.now())} ${text}`),
  };
}

function toLines(kind: Kind, output: Output, context: CommandContext): Display {
  const note = (text: string) => context.err(`${formatClock(Date.now(), Date.now())} ${text}`);
  let before: ReadonlyMap<string, string> | undefined;
  let widths: readonly number[] = [];
  return {
    note,
    show(items) {
      const now = new Map(items.map(item => [kind.nameOf(item), toKey(kind, item, output)]));
      const changed = items.filter(item => before?.get(kind.nameOf(item)) !== now.get(kind.nameOf(item)));
      const isTable = output === 'table' || output === 'wide';
      if (isTable) {
        const table = kind.toTable(changed, Date.now(), output === 'wide');
        if (before === undefined) widths = widthsOf(table);
        const text = formatTable(table, widths);
        const rows = before === undefined ? text : text.slice(text.indexOf('\n') + 1);
        if (before === undefined || changed.length > 0) context.out(rows);
        for (const name of before?.keys() ?? []) if (!now.has(name)) context.out(`${name} is gone`);
      } else for (const item of changed) context.out(toOne(kind, item, output));
      before = now;
    },
  };
}

/** What makes a row another one: its cells at one and the same time, so that an age by itself is no change. */
function toKey(kind: Kind, item: unknown, output: Output): string {
  if (output === 'name') return kind.nameOf(item);
  if (output === 'json' || output === 'yaml') return JSON.stringify(item);
  return JSON.stringify(kind.toTable([item], Number.MAX_SAFE_INTEGER, output === 'wide').rows);
}

function toOne(kind: Kind, item: unknown, output: Output): string {
  if (output === 'json') return JSON.stringify(item);
  const text = kind.format([item], output, Date.now());
  return output === 'yaml' ? `---\n${text}` : text;
}
