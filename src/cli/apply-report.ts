import type { PluginApplyAnswer, PluginView, RevisionView } from '../api/schema/plugin-view.ts';
import type { ResourceApplyAnswer, ResourceView } from '../api/schema/resource-view.ts';
import type { NextCommand, RolloutView } from '../api/schema/rollout-view.ts';
import { toCountText } from '../model/quantity-text.ts';
import { EXIT } from './exit-code.ts';
import { formatClock, formatDigest, formatSize, localizeTimes } from './format.ts';
import { toWatchLine } from './rollout/steering.ts';
import { toTypedName } from './target.ts';

/** Lines for a person, and what they mean for the exit code. */
export interface Report {
  readonly lines: readonly string[];
  readonly code: number;
}

/** What is known of a plugin once its revision is checked, or the time to wait for that is over. */
export interface AppliedPlugin {
  readonly result: PluginApplyAnswer['result'];
  readonly view: PluginView;
  /** The revision that the document asks for; undefined: there is none yet. */
  readonly revision?: RevisionView | undefined;
  /** Those of the nodes it selects, e.g. `1.40`. */
  readonly envoyVersions: readonly string[];
  /** The rollout that it started or that waits for its module; undefined: none. */
  readonly rollout?: RolloutView | undefined;
  /** Where in its file stands what the plugin refused, `auth.yaml:7:18: spec.pluginConfig.realm`; undefined: nowhere. */
  readonly where?: string | undefined;
  /** The rollout that was under way when it was applied. */
  readonly before?: PluginView['status']['rollout'];
}

/** What `apply` says of one plugin. `watched`: it goes on to draw the rollout, so nobody need be told how to. */
export function reportPlugin(applied: AppliedPlugin, nowMs: number, watched = false): Report {
  return localize(choose(applied, nowMs, watched), nowMs);
}

function localize({ lines, code }: Report, nowMs: number): Report {
  return { lines: lines.map(line => localizeTimes(line, nowMs)), code };
}

function choose(applied: AppliedPlugin, nowMs: number, watched: boolean): Report {
  const { status } = applied.view;
  if (status.heldBack !== null) return reportHeldBack(status.heldBack, EXIT.refused);
  if (status.phase === 'NotStarted') return reportNotStarted(applied);
  if (status.phase === 'Validating' || status.desiredRevision === null)
    return reportUnchecked(applied, nowMs);
  const { view, result } = applied;
  const { rollout } = status;
  const lines = [
    `plugin ${toName(view)} ${result}, revision ${status.desiredRevision}${describeSuperseded(applied)}${describeNowhere(view)}`,
    ...describeModule(applied),
  ];
  if (status.nodes.targeted > 0) lines.push(`  targets  ${describeTargets(view)}`);
  if (rollout?.active) lines.push(`  rollout  ${rollout.id}, ${rollout.plan}`);
  if (!watched && rollout?.active) lines.push(toWatchLine(toName(view)));
  return { lines, code: EXIT.done };
}

/** What `apply --no-wait` says: what was stored, and nothing that is not known yet. */
export function reportStored({ result, ...view }: PluginApplyAnswer, nowMs: number): Report {
  if (result === 'held-back' && view.status.heldBack !== null)
    return localize(reportHeldBack(view.status.heldBack, EXIT.refused), nowMs);
  return { lines: [`plugin ${toName(view)} ${result}`, toWatchLine(toName(view))], code: EXIT.done };
}

/** What `apply` says of a raw resource. */
export function reportResource(
  word: string,
  result: ResourceApplyAnswer['result'],
  view: ResourceView,
): Report {
  const { targeted, refused } = view.status.nodes;
  const name = `${word} ${view.metadata.namespace}/${view.metadata.name}`;
  const sent =
    targeted === 0 ? 'no connected node is selected yet' : `sent to ${toCountText(targeted, 'node')} at once`;
  const lines = [
    `${name} ${result}: ${result === 'unchanged' ? `on ${toCountText(targeted, 'node')}` : sent}`,
  ];
  if (refused > 0 && result === 'unchanged') lines.push(...reportRefusals(view).lines);
  return { lines, code: refused > 0 && result === 'unchanged' ? EXIT.refused : EXIT.done };
}

/** What `apply --wait` says of a raw resource that nodes refuse. */
export function reportRefusals(view: ResourceView): Report {
  const lines = view.status.refusals.map(({ node, message }) => `  refused by ${node}: "${message}"`);
  return { lines, code: lines.length > 0 ? EXIT.refused : EXIT.done };
}

function reportHeldBack(
  { text, next }: { readonly text: string; readonly next: readonly NextCommand[] },
  code: number,
): Report {
  const commands = next.map(({ command, text: what }) => (command === null ? what : `${what}: ${command}`));
  return { lines: [...text.split('\n'), ...commands], code };
}

function reportNotStarted({ result, view, where }: AppliedPlugin): Report {
  const { status } = view;
  const stays = status.currentRevision === null ? '' : `; revision ${status.currentRevision} stays`;
  const lines = [
    `plugin ${toName(view)} ${result}, but it cannot start: ${status.message ?? status.code ?? ''}`,
  ];
  if (where !== undefined) lines.push(`  ${where}`);
  if (status.hint !== null) lines.push(`  ${status.hint}`);
  lines.push(`  no node was touched${stays}${status.code === null ? '' : `   ${toCodeNote(status.code)}`}`);
  return { lines, code: EXIT.error };
}

/** The registry does not answer, or it takes longer than one waits: the fleet needs neither. */
function reportUnchecked({ result, view, rollout }: AppliedPlugin, nowMs: number): Report {
  const { message, hint, currentRevision } = view.status;
  const fleet =
    currentRevision === null ? '' : ` The fleet runs revision ${currentRevision} and needs no registry.`;
  const timer = rollout?.phase === 'Validating' ? rollout.timer : null;
  const until =
    timer === null || rollout === undefined
      ? ''
      : ` until ${formatClock(Date.parse(rollout.asOf) + timer.leftMs, nowMs).slice(0, -3)}, then gives up`;
  const lines = [`plugin ${toName(view)} ${result}, revision pending: no module yet`];
  if (message !== null) lines.push(`  ${message.replace(/\.?$/, '.')}${fleet}`);
  if (hint !== null) lines.push(`  ${hint}`);
  lines.push(
    `  Attaché keeps trying${until}. No node is touched meanwhile.`,
    `  ${describeWayOut(view)}`,
    toWatchLine(toName(view)),
  );
  return { lines, code: EXIT.timeout };
}

/** `have the file? attache push auth.wasm auth:1.6.2     stop: attache rollout abort edge/auth` */
function describeWayOut(view: PluginView): string {
  const [, name = view.metadata.name, tag = 'TAG'] =
    /([^/:@]+?)(?:\.wasm)?(?::([\w.-]+))?(?:@[^@]*)?$/.exec(String(view.spec.url ?? '')) ?? [];
  const push = `have the file? attache push ${name}.wasm ${name}:${tag}`;
  return `${push}     stop: attache rollout abort ${toTypedName(toName(view))}`;
}

function describeSuperseded({ before, view }: AppliedPlugin): string {
  const now = view.status.rollout;
  if (!before?.active || now === null || now.id === before.id) return '';
  return before.phase === 'Validating' ? ' (the waiting one is superseded)' : ` (${before.id} is superseded)`;
}

function describeNowhere({ status, metadata }: PluginView): string {
  return status.nodes.targeted === 0
    ? `; it reaches the first node of namespace ${metadata.namespace} when that connects`
    : '';
}

function describeModule({ revision, view, envoyVersions }: AppliedPlugin): readonly string[] {
  const module = revision?.module ?? view.status.module;
  if (module === null) return [];
  const { sha256, sizeBytes, abi, importCount, url, trial } = module;
  const ran = trial === null ? '' : `, configure ran: ${trial.reason ?? trial.outcome}`;
  const known = envoyVersions.length === 0 ? '' : ` known to Envoy ${envoyVersions.join(' and ')}`;
  return [
    `  module   ${String(view.spec.url ?? url)} → sha256 ${formatDigest(sha256)}, ${formatSize(sizeBytes)}`,
    `  checked  ABI ${abi}, ${toCountText(importCount, 'import')}${known}${ran}`,
  ];
}

function describeTargets(view: PluginView): string {
  const { targeted, disconnected } = view.status.nodes;
  const selector = view.spec.selector as { matchLabels?: Record<string, string> } | undefined;
  const labels = Object.entries(selector?.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`);
  const connected = disconnected === 0 ? '' : `, ${targeted - disconnected} connected`;
  const chosen = labels.length === 0 ? 'no selector' : labels.join(' ');
  return `${toCountText(targeted, 'node')}${connected} (namespace ${view.metadata.namespace}, ${chosen})`;
}

function toCodeNote(code: string): string {
  return `(code ${code}, docs/errors.md#${code})`;
}

function toName(view: Pick<PluginView, 'metadata'>): string {
  return `${view.metadata.namespace}/${view.metadata.name}`;
}
