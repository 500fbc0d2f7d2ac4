import type { ChainLink, OrderCause } from './chain-order.ts';
import { type Phase, type PluginName, parsePluginName } from './plugin-spec.ts';

/** `auth (AUTHN) → limit → router`; plugins of the node's own namespace by their name alone. */
export function toChainText(
  entries: readonly { readonly plugin: PluginName; readonly phase: Phase }[],
  nodeNamespace: string,
): string {
  const names = entries.map(({ plugin, phase }) => {
    const { namespace, name } = parsePluginName(plugin);
    const short = namespace === nodeNamespace ? name : plugin;
    return phase === 'UNSPECIFIED_PHASE' ? short : `${short} (${phase})`;
  });
  return [...names, 'router'].join(' → ');
}

/** Why `link` stands behind `before`. */
export function toWhyText(before: ChainLink, link: ChainLink, cause: OrderCause): string {
  switch (cause) {
    case 'phase':
      return `${toPhaseText(link.phase)} comes after ${toPhaseText(before.phase)}`;
    case 'priority':
      return `priority ${link.priority} is lower than ${before.priority}`;
    case 'namespace-before-root':
      return 'same priority: the root namespace comes after the others';
    case 'age':
      return 'same priority: created later';
    case 'name':
      return 'same priority, created at the same time: by name';
    case 'namespace':
      return 'same priority, created at the same time: by namespace';
    default:
      return cause satisfies never;
  }
}

/** Two plugins that nobody put in an order, and what did. */
export function toTieText(first: ChainLink, second: ChainLink, cause: OrderCause): string {
  const [a, b] = [first.plugin, second.plugin];
  const place = `${toPhaseText(first.phase)} and priority ${first.priority}`;
  return `${a} and ${b} have the same place: ${place}. ${a} comes first, because ${toTieBreak(cause)}. To choose, give them different priorities.`;
}

function toTieBreak(cause: OrderCause): string {
  if (cause === 'namespace-before-root') return 'plugins of the root namespace come last';
  if (cause === 'age') return 'it was created earlier';
  return `they were created at the same time, and then the ${cause} decides`;
}

function toPhaseText(phase: Phase): string {
  return phase === 'UNSPECIFIED_PHASE' ? 'no phase' : `phase ${phase}`;
}
