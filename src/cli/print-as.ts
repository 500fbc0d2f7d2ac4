import type { CommandContext } from './command-context.ts';
import { toYaml } from './to-yaml.ts';

/** Data in a form for programs. */
export function printAs(form: 'json' | 'yaml', value: unknown, context: CommandContext): void {
  context.out(form === 'json' ? JSON.stringify(value, null, 2) : toYaml(value).trimEnd());
}
