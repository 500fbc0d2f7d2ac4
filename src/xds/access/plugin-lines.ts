/** What a plugin writes, in any format; and what the host of plugins writes, in Envoy's own. */
const OF_PLUGIN = /\bwasm log\b|\]\[wasm\]/;
/** In Envoy's own format a line begins so; one that does not goes on with the one before it. */
const BEGINS = /^\[\d{4}-/;

/**
 * The lines of an Envoy's log that plugins wrote, and those about them, oldest first.
 * https://www.envoyproxy.io/docs/envoy/latest/operations/cli#cmdoption-log-format
 */
export function findPluginLines(text: string): readonly string[] {
  const found: string[] = [];
  let goesOn = false;
  for (const line of text.split('\n')) {
    if (line === '') continue;
    if (OF_PLUGIN.test(line)) {
      found.push(line);
      goesOn = BEGINS.test(line);
    } else if (goesOn && !BEGINS.test(line)) found.push(line);
    else goesOn = false;
  }
  return found;
}
