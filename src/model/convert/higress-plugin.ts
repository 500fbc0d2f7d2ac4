import type { ConvertedPlugin } from './conversion.ts';
import { countErrors, type DraftField, toField } from './plugin-draft.ts';
import { isObject, type SourcePart } from './source-part.ts';
import { convertSpec, type SourceName, toFields } from './wasm-plugin.ts';

/** Fields of a rule that choose requests, and what its SDK knows them by. */
const CHOICES = [
  ['ingress', '_match_route_'],
  ['service', '_match_service_'],
  ['domain', '_match_domain_'],
] as const;

/**
 * Higress' WasmPlugin: Istio's fields, a default configuration, and rules with configurations of their own, which the
 * plugin itself obeys. https://higress.io/en/docs/latest/user/wasm-plugin
 */
export function convertHigressPlugin(root: SourcePart, named: SourceName): readonly ConvertedPlugin[] {
  const spec = root.get('spec');
  if (spec === undefined) root.refuse('missing-field', 'spec is missing');
  if (spec === undefined) return [];
  const before = countErrors(root);
  const { defaultConfig, defaultConfigDisable, matchRules, pluginConfig, ...fields } = toFields(spec);
  const rules = (matchRules?.part.items() ?? []).flatMap(rule => readRule(rule) ?? []);
  const isDisabled = defaultConfigDisable?.value === true;
  if (pluginConfig === undefined && isDisabled && rules.length === 0)
    defaultConfigDisable?.part.note('left out: the plugin is switched off, by default and in every rule');
  else if (countErrors(root) === before) {
    if (pluginConfig !== undefined) return convertSpec(root, named, { ...fields, pluginConfig });
    const made = toConfig(isDisabled ? undefined : defaultConfig, rules, matchRules?.part ?? spec);
    return convertSpec(root, named, { ...fields, pluginConfig: made });
  }
  return [];
}

/** `_rules_` beside the defaults, where a plugin of Higress' SDK looks for them. */
function toConfig(
  defaults: DraftField | undefined,
  rules: readonly object[],
  part: SourcePart,
): DraftField | undefined {
  if (rules.length === 0) return defaults;
  part.warn(
    'only a plugin that is built with the SDK of Higress obeys these rules; a route is known by its name in Envoy',
    'Give the routes of your Envoys the names that the rules have.',
  );
  const base = isObject(defaults?.value) ? defaults.value : {};
  return toField(part, { ...base, _rules_: rules });
}

function readRule(rule: SourcePart): object | undefined {
  if (rule.get('configDisable')?.value === true) return undefined;
  rule.leaveOutOthers(['config', 'configDisable', ...CHOICES.map(([field]) => field)]);
  const config = rule.get('config');
  if (config !== undefined && !isObject(config.value)) config.refuse('wrong-type', 'expected an object');
  const choices = CHOICES.flatMap(([field, name]) => {
    const names =
      rule
        .get(field)
        ?.items()
        .map(one => one.text() ?? '') ?? [];
    return names.length === 0 ? [] : [[name, names] as const];
  });
  if (choices.length === 0)
    return rule.refuse('missing-field', 'neither ingress, service nor domain: it chooses no request');
  return { ...(isObject(config?.value) ? config.value : {}), ...Object.fromEntries(choices) };
}
