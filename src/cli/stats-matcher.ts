/** `stats_config` of a bootstrap, as far as we read it; snake case. */
export interface StatsConfig {
  readonly stats_matcher?: {
    readonly reject_all?: boolean;
    readonly inclusion_list?: PatternList;
    readonly exclusion_list?: PatternList;
  };
}

interface PatternList {
  readonly patterns?: readonly StringMatcher[];
}

interface StringMatcher {
  readonly exact?: string;
  readonly prefix?: string;
  readonly suffix?: string;
  readonly contains?: string;
  readonly safe_regex?: { readonly regex?: string };
  readonly ignore_case?: boolean;
}

/**
 * Whether an Envoy with this `stats_config` has the stat at all. What we cannot judge counts as there.
 * https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/metrics/v3/stats.proto#config-metrics-v3-statsmatcher
 */
export function hasStat(config: StatsConfig | undefined, name: string): boolean {
  const matcher = config?.stats_matcher;
  if (matcher?.reject_all) return false;
  const matches = ({ patterns }: PatternList) =>
    (Array.isArray(patterns) ? patterns : [patterns ?? {}]).map(pattern => matchesText(pattern, name));
  if (matcher?.inclusion_list) return matches(matcher.inclusion_list).some(one => one !== false);
  if (matcher?.exclusion_list) return !matches(matcher.exclusion_list).some(one => one === true);
  return true;
}

/** Undefined: not to be told here. */
function matchesText(matcher: StringMatcher, name: string): boolean | undefined {
  const fold = (text: string) => (matcher.ignore_case ? text.toLowerCase() : text);
  const { exact, prefix, suffix, contains, safe_regex: regex } = matcher;
  const text = fold(name);
  if (exact !== undefined) return text === fold(exact);
  if (prefix !== undefined) return text.startsWith(fold(prefix));
  if (suffix !== undefined) return text.endsWith(fold(suffix));
  if (contains !== undefined) return text.includes(fold(contains));
  if (regex?.regex === undefined) return undefined;
  try {
    return new RegExp(`^(?:${regex.regex})$`).test(name);
  } catch {
    return undefined;
  }
}

/** What Attaché loses without which stats, a sentence each; `statPrefixes`: those of the HTTP connection managers. */
export function describeLostStats(
  config: StatsConfig | undefined,
  statPrefixes: readonly string[],
): readonly string[] {
  const needed = [
    {
      names: statPrefixes.map(prefix => `http.${prefix}.downstream_rq_5xx`),
      loss: 'no gate sees requests that fail',
    },
    { names: ['wasm.default/plugin.vm_reload_success'], loss: 'no gate sees a plugin that crashes' },
    { names: ['wasm.envoy.wasm.runtime.v8.created'], loss: 'Loaded is never shown' },
  ];
  return needed.flatMap(({ names, loss }) => {
    const hidden = names.find(name => !hasStat(config, name));
    return hidden === undefined
      ? []
      : [`leaves ${hidden} out, so ${loss}; let stats with this beginning through`];
  });
}
