import type { Command } from 'commander';
import type { CommandContext } from '../../src/cli/command-context.ts';
import { createProgram } from '../../src/cli/program.ts';

/** A command or one of its own, by all its words. */
export interface TreeCommand {
  /** `rollout status` */
  readonly path: string;
  readonly command: Command;
}

/** Everything that can be typed, in the order of the help texts; what is printed goes to `out`. */
export async function readCommandTree(
  out: (text: string) => void = () => {},
): Promise<readonly TreeCommand[]> {
  const context = { env: {}, version: '1.2.3', out, err: out } as unknown as CommandContext;
  const program = await createProgram(
    context,
    () => {},
    () => true,
  );
  const walk = (command: Command, words: readonly string[]): readonly TreeCommand[] =>
    command.commands
      .filter(one => one.name() !== 'help')
      .flatMap(one => {
        const path = [...words, one.name()];
        return [{ path: path.join(' '), command: one }, ...walk(one, path)];
      });
  return walk(program, []);
}
