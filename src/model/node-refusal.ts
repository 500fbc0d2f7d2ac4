import type { NodeVerdict, RefusedContent } from './node-verdict.ts';
import { findInSlot } from './plugin-place.ts';
import type { PluginName } from './plugin-spec.ts';

export interface NodeRefusal {
  readonly revision: number | null;
  /** Envoy's text. */
  readonly message: string;
  /** Where the cause is. */
  readonly cause: string;
  readonly at: number;
}

/** A plugin's newest refusal by a node, or null. A refusal outlives the process that refused: the next one would do the same. */
export function findRefusal(
  verdicts: readonly NodeVerdict[],
  node: string,
  plugin: PluginName,
): NodeRefusal | null {
  let newest: RefusedContent | undefined;
  for (const { node: of, refused, tried } of verdicts) {
    if (refused === null || of !== node) continue;
    const isAbout =
      refused.plugin === undefined ? findInSlot(tried, plugin) !== undefined : refused.plugin === plugin;
    if (isAbout && (newest === undefined || refused.at > newest.at)) newest = refused;
  }
  if (newest === undefined) return null;
  const { revision = null, message, at } = newest;
  return { revision, message, cause: toCauseText(plugin), at };
}

/** Where the cause of a refusal is: Envoy never sends it. */
export function toCauseText(plugin: PluginName): string {
  return `that node's Envoy log; look for 'wasm log ${plugin}'`;
}
