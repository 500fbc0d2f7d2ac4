/** With this `--log-format` every line of an Envoy begins with its level. */
export const ENVOY_LOG_FORMAT = '%l\t%v';

/** A line of an Envoy's log. `isOfPlugin`: the plugin wrote it. */
export interface EnvoyLogLine {
  readonly level: string;
  readonly text: string;
  readonly isOfPlugin: boolean;
}

/** Reads a line in ENVOY_LOG_FORMAT; a line without a level goes on with the one before it. */
export function readEnvoyLogLine(line: string, plugin: string): EnvoyLogLine {
  const [, level = '', text = line] = /^(trace|debug|info|warning|error|critical)\t(.*)$/s.exec(line) ?? [];
  // `wasm log NAME ROOT VM: what it says`; the names as they are in the bootstrap.
  const own = text.startsWith(`wasm log ${plugin}`) ? text.indexOf(': ') : -1;
  return own < 0
    ? { level, text, isOfPlugin: false }
    : { level, text: text.slice(own + 2), isOfPlugin: true };
}

/** `  log      warning: what it says`, as attache test writes it; others with the name of the program. */
export function formatEnvoyLogLine({ level, text, isOfPlugin }: EnvoyLogLine): string {
  const head = level === '' ? '' : `${level}: `;
  return isOfPlugin ? `  log      ${head}${text}` : `  envoy    ${head}${text}`;
}
