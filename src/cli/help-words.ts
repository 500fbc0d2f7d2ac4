import type { Command } from 'commander';

/**
 * `help rollout status` is `rollout status --help`, which commander takes for help about the whole verb. Words that name
 * no verb are given as if help had not been asked for, and refused with the nearest one.
 */
export function withoutHelpVerb(program: Command, given: readonly string[]): readonly string[] {
  if (given[0] !== 'help' || given.length === 1) return given;
  let command = program;
  const path: string[] = [];
  for (const word of given.slice(1)) {
    const next = command.commands.find(one => one.name() === word);
    if (next === undefined) return [...path, command.commands.length === 0 ? '--help' : word];
    path.push(word);
    command = next;
  }
  return [...path, '--help'];
}
