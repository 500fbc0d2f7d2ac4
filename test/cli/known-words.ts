import type { TreeCommand } from './command-tree.ts';

/** Pieces of a shell line, quoted ones whole; an operator is a piece of its own. */
export function toShellWords(line: string): readonly string[] {
  const pattern = /"(?:\\.|[^"\\])*"|'[^']*'|&&|\|\||[|;&<>()]|(?:\\.|[^\s"'|;&<>()\\])+/g;
  return [...line.matchAll(pattern)].map(([word]) => word);
}

/**
 * What a shell line types after `attache` that does not exist: `attache VERB`, or `attache VERB --flag`. Values of
 * flags are not looked at, nor what follows `--`.
 */
export function findUnknownWords(line: string, tree: readonly TreeCommand[]): readonly string[] {
  const found: string[] = [];
  const words = toShellWords(line);
  words.forEach((word, i) => {
    const before = words[i - 1];
    // Elsewhere it is the name of a user, a unit or a folder.
    const isTyped = before === undefined || /^(&&|\|\||[|;&(]|--)$/.test(before);
    if (!isTyped || !/(^|\/)attache$/.test(word)) return;
    const rest = words.slice(i + 1);
    const end = rest.findIndex(one => /^(&&|\|\||[|;&<>()]|--)$/.test(one));
    found.push(...findUnknown(end < 0 ? rest : rest.slice(0, end), tree));
  });
  return found;
}

function findUnknown(words: readonly string[], tree: readonly TreeCommand[]): readonly string[] {
  const [verb = '', second = ''] = words;
  if (verb === '' || verb === 'help' || verb.startsWith('-')) return [];
  const own = tree.find(({ path }) => path === verb);
  if (own === undefined) return [`attache ${verb}`];
  const hasParts = tree.some(({ path }) => path.startsWith(`${verb} `));
  const isPart = hasParts && !second.startsWith('-') && second !== '';
  const command = isPart ? tree.find(({ path }) => path === `${verb} ${second}`) : own;
  if (command === undefined) return [`attache ${verb} ${second}`];
  const flags = command.command.options.flatMap(({ long, short }) => [long, short]);
  return words
    .filter(word => /^--?[a-z]/.test(word) && word !== '--help' && word !== '-h')
    .map(word => (word.startsWith('--') ? (word.split('=')[0] ?? '') : word.slice(0, 2)))
    .filter(flag => !flags.includes(flag))
    .map(flag => `attache ${command.path} ${flag}`);
}
