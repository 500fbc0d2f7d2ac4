import type { PluginView } from '../api/schema/plugin-view.ts';
import type { PlannedDocument } from './apply-plan.ts';
import { toDotted } from './print-error.ts';

/** What a trial run found is about the configuration: nothing else of the document reaches the plugin. */
const OF_CONFIGURATION: readonly string[] = ['trial-refused', 'trial-trapped'];
const CONFIGURATION = '/spec/pluginConfig';

/**
 * Where in its file stands what a plugin refused: `auth.yaml:7:18: spec.pluginConfig.realm`. A plugin's own words may
 * begin with the field that they are about, as in `"realm: expected a string"`; else it is the whole configuration.
 * undefined: it is not about a place in the document.
 */
export function locateRefusal(
  { source, body }: Pick<PlannedDocument, 'source' | 'body'>,
  { code, message }: Pick<PluginView['status'], 'code' | 'message'>,
): string | undefined {
  if (code === null || !OF_CONFIGURATION.includes(code)) return undefined;
  const pointer = CONFIGURATION + toField(message ?? '', readConfiguration(body));
  return `${source.locate(pointer)}: ${toDotted(pointer)}`;
}

/** `/realm`; empty where no field is named. */
function toField(message: string, configuration: unknown): string {
  const [, word = ''] = /"(?:[^":]* )?([^"\s:]+): /.exec(message) ?? [];
  if (!isObject(configuration) || !Object.hasOwn(configuration, word)) return '';
  return `/${word.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

function readConfiguration(body: unknown): unknown {
  const spec = isObject(body) ? body.spec : undefined;
  return isObject(spec) ? spec.pluginConfig : undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
