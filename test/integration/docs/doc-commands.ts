import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** One command as a document shows it, its continuation lines joined, its comment left out. */
export interface DocCommand {
  /** `docs/nodes.md` */
  readonly document: string;
  readonly line: number;
  readonly text: string;
}

/** A fenced block. */
export interface DocBlock {
  readonly document: string;
  /** Of its first line. */
  readonly line: number;
  /** `sh`, `yaml` … */
  readonly language: string;
  readonly text: string;
}

/** README.md and every page in docs/. */
export const DOCUMENTS: readonly string[] = [
  'README.md',
  ...globSync('docs/*.md', { cwd: root })
    .map(path => path.replaceAll('\\', '/'))
    .sort(),
];

export function readBlocks(document: string): readonly DocBlock[] {
  return toBlocks(document, readFileSync(join(root, document), 'utf8'));
}

/** Fenced blocks of a document, also those that are indented below a list. */
export function toBlocks(document: string, text: string): readonly DocBlock[] {
  const blocks: DocBlock[] = [];
  let open: { line: number; language: string; lines: string[]; indent: number } | undefined;
  text.split('\n').forEach((line, i) => {
    const fence = /^( *)```\s*(\S*)/.exec(line);
    if (fence === null) open?.lines.push(line.slice(open.indent));
    else if (open === undefined)
      open = { line: i + 2, language: fence[2] ?? '', lines: [], indent: fence[1]?.length ?? 0 };
    else {
      blocks.push({ document, line: open.line, language: open.language, text: open.lines.join('\n') });
      open = undefined;
    }
  });
  return blocks;
}

const SHELLS: readonly string[] = ['sh', 'bash', 'shell', 'console'];

/** Everything that a document tells people to type, in its order; screens without a language have prompts. */
export function toCommands(blocks: readonly DocBlock[]): readonly DocCommand[] {
  return blocks
    .filter(({ language, text }) => SHELLS.includes(language) || (language === '' && /^\$ /m.test(text)))
    .flatMap(block => readCommands(block));
}

function readCommands({ document, line, language, text: block }: DocBlock): readonly DocCommand[] {
  const commands: DocCommand[] = [];
  const lines = block.split('\n');
  // What a console shows after its prompt is typed, the rest is what came of it.
  const hasPrompts = language === 'console' || lines.some(one => one.startsWith('$ '));
  for (let i = 0; i < lines.length; i++) {
    const first = i;
    let typed = lines[i] ?? '';
    if (hasPrompts && !typed.startsWith('$ ')) continue;
    while (/\\$/.test(typed) && i + 1 < lines.length) typed = `${typed.slice(0, -1)}${lines[++i] ?? ''}`;
    const end = /<<-?\s*'?"?(\w+)/.exec(typed)?.[1];
    if (end !== undefined)
      do typed += `\n${lines[++i] ?? end}`;
      while (lines[i]?.trim() !== end && i + 1 < lines.length);
    // What stands in the document of a `<<` is a file: every blank counts.
    const bare = end === undefined ? withoutComment(typed).replace(/[ \t]+/g, ' ') : typed;
    const text = bare.replace(/^\$ /, '').trim();
    if (text !== '') commands.push({ document, line: line + first, text });
  }
  return commands;
}

/** A `#` after a blank begins a comment, unless it stands in quotes. */
function withoutComment(line: string): string {
  const match = /^(?:"(?:\\.|[^"\\])*"|'[^']*'|[^"'#]|(?<=\S)#)*/.exec(line);
  return match?.[0] ?? '';
}
