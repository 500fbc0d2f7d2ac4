import type { Side } from '../model/assignment.ts';
import { toCountText, toNamesText } from '../model/quantity-text.ts';
import type { Rollout } from '../model/rollout.ts';

/** Sentences for a person who was woken by them. */

/** `default/auth, 7 → 8 (default.auth.3)` */
export function nameOf({ plugin, from, to, id }: Rollout): string {
  return `${plugin}: ${toSideText(from)} → ${to === null ? '?' : toSideText(to)} (${id})`;
}

/** The id in a sentence that begins with `nameOf`; undefined: it is about no single rollout. */
export function idIn(sentence: string): string | undefined {
  return /^[^ ]+: .+? → .+? \(([^ ()]+\.\d+)\)/.exec(sentence)?.[1];
}

export function toSideText({ revision }: Side): string {
  return revision === null ? 'none' : String(revision);
}

/** `revision 8`, `the removal` */
export function toAimText({ to, kind }: Pick<Rollout, 'to' | 'kind'>): string {
  if (to === null) return 'the new revision';
  if (to.revision === null) return 'the removal';
  return kind === 'placement' ? `revision ${to.revision} on other nodes` : `revision ${to.revision}`;
}

/** `runs revision 8`, `runs without default/auth` */
export function toRunsText({ revision }: Side, plugin: string, count = 2): string {
  const verb = count === 1 ? 'runs' : 'run';
  return revision === null ? `${verb} without ${plugin}` : `${verb} revision ${revision}`;
}

/** `edge-1`, `3 nodes, first edge-1` */
export function toFirstText(nodes: readonly string[]): string {
  const [first = 'no node'] = nodes;
  return nodes.length <= 1 ? first : `${toCountText(nodes.length, 'node')}, first ${first}`;
}

/** `edge-1 is gone and gets it when it returns` */
export function toGoneText(gone: readonly string[]): string {
  if (gone.length === 0) return '';
  const [is, gets, returns] =
    gone.length === 1 ? ['is', 'gets', 'it returns'] : ['are', 'get', 'they return'];
  return `${toNamesText(gone)} ${is} gone and ${gets} it when ${returns}`;
}

/** `: "why"`, or nothing. */
export function toSaidText(message: string | undefined): string {
  return message === undefined || message === '' ? '' : `: ${JSON.stringify(message)}`;
}
