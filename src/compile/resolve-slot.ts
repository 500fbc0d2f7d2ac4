import type { ListenerFacts } from '../model/node.ts';
import { matchesEveryListener, matchesListener } from '../model/plugin-listeners.ts';
import type { PluginName } from '../model/plugin-spec.ts';
import type { Revision } from '../model/revision.ts';
import type { AssignedPlugin } from './assign-plugins.ts';
import type { SlotLayout } from './filter-types.ts';
import { type PhasePlace, parsePhasePlace } from './phase-place.ts';

/** What a node has that decides what a slot name means. */
export interface SlotContext {
  /** The node's layout; a slot named after a plugin is `single` everywhere. */
  readonly layout: SlotLayout;
  readonly namespace: string;
  /** Listeners known by name: those served, and the bootstrap's own. */
  readonly listeners: readonly ListenerFacts[];
  /** Listeners that may hold a phase's place without a listener's name. */
  bareListeners(phaseSlot: string): readonly ListenerFacts[];
}

/** What is to stand in a slot, before it is encoded. */
export interface ResolvedSlot {
  readonly layout: SlotLayout;
  readonly revisions: readonly Revision[];
  readonly warning?: string;
}

/** What a slot name means for a node with these plugins (in chain order). Pure. */
export function resolveSlot(
  name: string,
  plugins: readonly AssignedPlugin[],
  context: SlotContext,
): ResolvedSlot {
  const place = parsePhasePlace(name);
  return place === undefined
    ? resolvePluginName(name, plugins, context)
    : resolvePhase(name, place, plugins, context);
}

function resolvePhase(
  name: string,
  place: PhasePlace,
  plugins: readonly AssignedPlugin[],
  context: SlotContext,
): ResolvedSlot {
  const inPhase = plugins.filter(plugin => plugin.phase === place.phase);
  const listeners = findListeners(place, context);
  const isUnknown = listeners.length === 0;
  const belongs = (plugin: AssignedPlugin): boolean =>
    isUnknown ? matchesEveryListener(plugin) : listeners.every(listener => matchesListener(plugin, listener));
  const chosen = inPhase.filter(belongs);
  const undecided = inPhase.filter(
    plugin =>
      !belongs(plugin) && (isUnknown || listeners.some(listener => matchesListener(plugin, listener))),
  );
  if (context.layout === 'single' && chosen.length > 1) return takeFirst(name, chosen);
  const warning = undecided.length === 0 ? {} : { warning: sayUndecided(name, undecided) };
  return { layout: context.layout, revisions: chosen.map(plugin => plugin.revision), ...warning };
}

function findListeners(place: PhasePlace, context: SlotContext): readonly ListenerFacts[] {
  if (place.listener === undefined) return context.bareListeners(place.slot);
  const named = context.listeners.find(listener => listener.name === place.listener);
  return named === undefined ? [] : [named];
}

function takeFirst(name: string, chosen: readonly AssignedPlugin[]): ResolvedSlot {
  const [first, ...others] = chosen.map(plugin => plugin.revision);
  const left = others.map(revision => revision.plugin).join(', ');
  return {
    layout: 'single',
    revisions: first === undefined ? [] : [first],
    warning: `the place ${name} can hold one plugin on an Envoy before 1.39: ${first?.plugin} is in it, ${left} is not; give each plugin a place of its own, named after it`,
  };
}

function sayUndecided(name: string, plugins: readonly AssignedPlugin[]): string {
  const names = plugins.map(({ plugin }) => plugin).join(', ');
  return `the place ${name} does not say which listener it is on, so ${names}, meant for some listeners only, is left out; name it <phase place>/<listener>`;
}

function resolvePluginName(
  name: string,
  plugins: readonly AssignedPlugin[],
  context: SlotContext,
): ResolvedSlot {
  const wanted: PluginName = name.includes('/') ? name : `${context.namespace}/${name}`;
  const found = plugins.find(({ plugin }) => plugin === wanted);
  if (found !== undefined) return { layout: 'single', revisions: [found.revision] };
  const warning = `the place ${name} is neither a phase nor a plugin of this node: requests pass through it`;
  return { layout: 'single', revisions: [], warning };
}
