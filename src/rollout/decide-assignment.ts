import type { Assignment, Refusal } from '../model/assignment.ts';
import type { Event } from '../model/event.ts';
import type { PluginName } from '../model/plugin-spec.ts';
import type { ModuleProgress } from '../model/revision.ts';
import { findRefusal, isProven, isSettled, type SeenVerdict } from './evidence.ts';

/** All that a decision about one plugin rests on. */
export interface PluginFacts {
  readonly plugin: PluginName;
  /** Store revision of the PluginSpec; undefined: there is none. */
  readonly specRevision: number | undefined;
  readonly progress: ModuleProgress | undefined;
  /** Numbers of its Revision records. */
  readonly revisions: ReadonlySet<number>;
  readonly assignment: Assignment | undefined;
  /** Those that mention the plugin; not needed while the assigned revision is the good one. */
  readonly verdicts: readonly SeenVerdict[];
  /** The compiler's format number. */
  readonly format: number;
  /** ms */
  readonly now: number;
}

export type News = Pick<Event, 'type' | 'message'> & { readonly node?: string };

/** What is to become of a plugin's Assignment, and what to tell about it. */
export type Decision =
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'delete'; readonly news: readonly News[] }
  | { readonly kind: 'put'; readonly assignment: Assignment; readonly news: readonly News[] };

/**
 * The next Assignment of a plugin. Pure, and settles: deciding again on the outcome changes nothing more.
 *
 * - The desired revision (ModuleProgress) is assigned to every selected node at once.
 * - A refusal of the assigned revision sends the plugin back to `good` everywhere; the refused revision is held
 *   back until a newer one is desired. A revision that was already proven good stays: a node that refuses it later
 *   keeps what it last accepted, and shows Refused.
 * - The assigned revision becomes `good` once a node accepted it, none refused it, and no connected node is still
 *   being asked. When a newer revision comes before that, the first two are enough: otherwise one slow node would
 *   make the fleet fall back past a revision that serves everywhere.
 */
export function decideAssignment(facts: PluginFacts): Decision {
  const { assignment, plugin } = facts;
  if (facts.specRevision === undefined)
    return assignment === undefined
      ? { kind: 'unchanged' }
      : {
          kind: 'delete',
          news: [{ type: 'rollout.ended', message: `${plugin}: deleted, leaves every node` }],
        };
  const news: News[] = [];
  const next = [goBack, moveOn, proveGood, adoptFormat].reduce<Assignment | undefined>(
    (current, step) => step(facts, current, line => news.push(line)),
    assignment,
  );
  return next === undefined || next === assignment
    ? { kind: 'unchanged' }
    : { kind: 'put', assignment: next, news };
}

type Step = (
  facts: PluginFacts,
  current: Assignment | undefined,
  tell: (line: News) => void,
) => Assignment | undefined;

const goBack: Step = (facts, current, tell) => {
  if (current === undefined || current.revision === null || current.revision === current.good) return current;
  const refused = findRefusal(facts.verdicts, facts.plugin, current.revision, current.since);
  if (refused === undefined) return current;
  const { good, format } = current;
  tell({ type: 'rollout.back', node: refused.node, message: toBackText(facts.plugin, refused, good) });
  return { plugin: facts.plugin, revision: good, good, format, refused, since: facts.now };
};

const moveOn: Step = (facts, current, tell) => {
  const desired = findDesired(facts);
  if (desired === undefined || desired === current?.revision || desired === current?.refused?.revision)
    return current;
  tell({
    type: 'rollout.assigned',
    message: `${facts.plugin}: revision ${desired} goes to every selected node`,
  });
  const { refused } = current ?? {};
  return {
    plugin: facts.plugin,
    revision: desired,
    good: isProven(facts.verdicts, facts.plugin, current) ? current.revision : (current?.good ?? null),
    format: facts.format,
    // A newer revision is a new try. Older content is not: what was refused stays held back.
    ...(refused === undefined || desired > refused.revision ? {} : { refused }),
    since: facts.now,
  };
};

const proveGood: Step = (facts, current, tell) => {
  if (current === undefined || current.revision === current.good) return current;
  if (!isProven(facts.verdicts, facts.plugin, current) || !isSettled(facts.verdicts, facts.plugin, current))
    return current;
  tell({ type: 'rollout.good', message: `${facts.plugin}: revision ${current.revision} is good` });
  return { ...current, good: current.revision };
};

const adoptFormat: Step = (facts, current, tell) => {
  if (current === undefined || current.format === facts.format) return current;
  tell({ type: 'rollout.format', message: `${facts.plugin}: compiled anew, in format ${facts.format}` });
  return { ...current, format: facts.format, since: facts.now };
};

/** The revision of the newest document, once its module is checked and stored. */
function findDesired({ progress, specRevision, revisions }: PluginFacts): number | undefined {
  if (progress?.state !== 'ready' || specRevision === undefined || progress.specRevision < specRevision)
    return undefined;
  return progress.revision !== undefined && revisions.has(progress.revision) ? progress.revision : undefined;
}

function toBackText(plugin: PluginName, refused: Refusal, good: number | null): string {
  const then = good === null ? 'it leaves every node' : `revision ${good} goes back to every selected node`;
  return `${plugin}: revision ${refused.revision} was refused by ${refused.node} (${refused.message}); ${then}`;
}
