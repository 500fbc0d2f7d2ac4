import type { Command } from 'commander';

/** Of every verb that changes something at the server. */
export interface ChangeOptions {
  readonly message?: string;
  readonly dryRun?: true;
}

export function addChangeOptions(command: Command): Command {
  return command
    .option('-m, --message <text>', 'why; kept in the history and the audit')
    .option('--dry-run', 'say what would change, and change nothing');
}

/** `?message=…&dryRun=true`; what is undefined or false is left out, and nothing is the empty text. */
export function toQuery(parameters: Readonly<Record<string, string | boolean | undefined>>): string {
  const pairs = Object.entries(parameters).flatMap(([key, value]) =>
    value === undefined || value === false ? [] : [`${key}=${encodeURIComponent(value)}`],
  );
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`;
}
