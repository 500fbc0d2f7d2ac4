import type { Assignment, Refusal } from '../model/assignment.ts';
import type { NodeVerdict } from '../model/node-verdict.ts';
import { findInSlot } from '../model/plugin-place.ts';
import type { PluginName } from '../model/plugin-spec.ts';

export interface SeenVerdict {
  readonly verdict: NodeVerdict;
  /** Of the process that runs now, in a slot it asks for, on a node that is connected. */
  readonly live: boolean;
}

/*
 * What the verdicts prove about one revision of a plugin. A refusal is read from `refused`, not from `state`: the
 * state moves on as soon as the last good content is back, and a reader of the store may skip what lay between.
 */

/**
 * The first refusal of this revision since it was assigned. An older one belongs to an earlier try. A refusal for
 * which Envoy named nobody is nobody's here.
 */
export function findRefusal(
  verdicts: readonly SeenVerdict[],
  plugin: PluginName,
  revision: number,
  since: number,
): Refusal | undefined {
  const refusals = verdicts.flatMap(({ verdict: { node, refused } }) =>
    refused?.plugin === plugin && refused.revision === revision && refused.at >= since
      ? [{ revision, node, message: refused.message, at: refused.at }]
      : [],
  );
  return refusals.reduce<Refusal | undefined>((first, refusal) => {
    if (first === undefined || refusal.at < first.at) return refusal;
    return refusal.at === first.at && refusal.node < first.node ? refusal : first;
  }, undefined);
}

/** A node accepted the assigned revision, and none refused it. */
export function isProven(
  verdicts: readonly SeenVerdict[],
  plugin: PluginName,
  assignment: Assignment | undefined,
): assignment is Assignment & { readonly revision: number } {
  if (assignment === undefined || assignment.revision === null) return false;
  const { revision, since } = assignment;
  const accepted = verdicts.some(
    ({ verdict }) => findInSlot(verdict.accepted, plugin)?.revision === revision,
  );
  return accepted && findRefusal(verdicts, plugin, revision, since) === undefined;
}

/**
 * No connected node that had the plugin is still being asked about the assigned revision. A node that cannot get
 * the module is not waited for: it may never answer.
 */
export function isSettled(
  verdicts: readonly SeenVerdict[],
  plugin: PluginName,
  { revision }: Assignment,
): boolean {
  return !verdicts.some(({ verdict, live }) => live && isAsked(verdict, plugin, revision));
}

function isAsked(verdict: NodeVerdict, plugin: PluginName, revision: number | null): boolean {
  const newest = findInSlot(verdict.tried, plugin) ?? findInSlot(verdict.accepted, plugin);
  if (newest === undefined || verdict.state === 'unreachable') return false;
  // An older revision stands there: the push of this one is still to come.
  if (newest.revision !== revision) return true;
  return verdict.state === 'sent' || verdict.state === 'fetching';
}
