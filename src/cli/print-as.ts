import type { CommandContext } from './command-context.ts';
import { toYaml } from './yaml-splice.ts';

/** Data in a form for programs. A file of its own: verbs without it start without the YAML library. */
export function printAs(form: 'json' | 'yaml', value: unknown, context: CommandContext): void {
  context.out(form === 'json' ? JSON.stringify(value, null, 2) : toYaml(value).trimEnd());
}
