import type { Argument, Command } from 'commander';
import { KINDS } from './kinds.ts';
import { parseTarget, toSingular } from './target.ts';

/** What may stand at one place of a command line. */
export interface Place {
  /** Sub-verbs, flags, and words that are known without a server. */
  readonly words: readonly Word[];
  /** What is asked for at the server: names of a kind. */
  readonly names?: string;
  /** Files of this machine do, too. */
  readonly files: boolean;
}

export interface Word {
  readonly word: string;
  /** A few words on it; empty where there are none. */
  readonly about: string;
}

/** Arguments by their names, wherever they stand. */
const NAMED_KINDS: Readonly<Record<string, string>> = { node: 'nodes', id: 'nodes' };
/** Flags whose value is a name that the server knows. */
const FLAG_KINDS: Readonly<Record<string, string>> = { '--node': 'nodes', '--plugin': 'plugins' };
const FILE_PLACES = /file|folder|path|dir|what/i;

/**
 * What can follow these words (without `attache`), the last of which is being typed. `program` has every verb that
 * is named defined.
 */
export function findPlace(program: Command, typed: readonly string[]): Place {
  const before = typed.slice(0, -1);
  const current = typed.at(-1) ?? '';
  let command = program;
  const given: string[] = [];
  for (let i = 0; i < before.length; i++) {
    const word = before[i] ?? '';
    const option = findOption(command, word);
    if (option !== undefined) {
      const isLast = i === before.length - 1;
      if (takesValue(option) && !word.includes('=')) {
        if (isLast) return toValuePlace(option.long ?? '', option.description);
        i += 1;
      }
      continue;
    }
    const part = given.length === 0 ? command.commands.find(one => one.name() === word) : undefined;
    if (part !== undefined) command = part;
    else given.push(word);
  }
  if (current.startsWith('-')) return { words: toFlags(command), files: false };
  if (given.length === 0 && command.commands.length > 0) return { words: toParts(command), files: false };
  return toArgumentPlace(command, given);
}

function takesValue(option: { required: boolean; optional: boolean }): boolean {
  return option.required || option.optional;
}

function findOption(command: Command, word: string) {
  const flag = word.split('=')[0];
  return command.options.find(({ long, short }) => flag === long || flag === short);
}

function toFlags(command: Command): readonly Word[] {
  const own = command.options.map(({ long, short, description }) => ({
    word: long ?? short ?? '',
    about: description,
  }));
  return [...own, { word: '--help', about: 'how it is used, with an example' }];
}

function toParts(command: Command): readonly Word[] {
  return command.commands
    .filter(one => one.name() !== 'help')
    .map(one => ({ word: one.name(), about: one.description() }));
}

/** `--output json|yaml`: the words stand in its description. */
function toValuePlace(flag: string, description: string): Place {
  const names = FLAG_KINDS[flag];
  if (names !== undefined) return { words: [], names, files: false };
  if (flag === '--context') return { words: [], names: 'contexts', files: false };
  const words = /^[a-z-]+(\|[a-z-]+)+/.exec(description.replace(/^.*: (?=[a-z-]+\|)/, ''))?.[0];
  return {
    words: (words ?? '').split('|').flatMap(word => (word === '' ? [] : [{ word, about: '' }])),
    files: words === undefined && (FILE_PLACES.test(flag) || flag === '--from' || flag === '--data'),
  };
}

function toArgumentPlace(command: Command, given: readonly string[]): Place {
  const all = command.registeredArguments;
  const argument: Argument | undefined = all[given.length] ?? all.at(-1);
  if (argument === undefined || (given.length >= all.length && !argument.variadic))
    return { words: [], files: false };
  const name = argument.name();
  if (name === 'kind') return { words: toKinds(command), files: false };
  const names = findNames(command, name, given[0] ?? '');
  if (names !== undefined) return { words: [], names, files: false };
  return { words: [], files: FILE_PLACES.test(name) };
}

/** `get` lists many, the others are about one of those that they can find. */
function toKinds(command: Command): readonly Word[] {
  const plurals = KINDS.map(({ plural }) => plural);
  const verb = command.name();
  if (verb === 'get') return toWords(plurals);
  const more = verb === 'describe' ? ['rollout', 'module'] : [];
  return toWords([...more, ...plurals.map(toSingular).filter(isTarget)]);
}

function isTarget(word: string): boolean {
  try {
    return parseTarget(word, 'x', undefined).name === 'x';
  } catch {
    return false;
  }
}

function toWords(words: readonly string[]): readonly Word[] {
  return words.map(word => ({ word, about: '' }));
}

/** The kind whose names can stand there; undefined: none. */
function findNames(command: Command, argument: string, kind: string): string | undefined {
  const verb = command.parent?.name();
  if (verb === 'context') return 'contexts';
  const typed = KINDS.find(({ plural }) => plural === kind || toSingular(plural) === kind)?.plural;
  if (command.registeredArguments[0]?.name() === 'kind') return typed;
  if (argument === 'name' && verb === 'rollout') return 'plugins';
  // `token revoke`, `webhook remove`: a verb that is named after a kind is about one of it.
  const own = KINDS.find(({ plural }) => toSingular(plural) === verb);
  if (argument === 'name' && own !== undefined) return own.plural;
  return NAMED_KINDS[argument];
}
