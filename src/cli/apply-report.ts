import type { ApplyResult } from '../api/schema/metadata.ts';
import type { PluginView } from '../api/schema/plugin-view.ts';
import type { ResourceView } from '../api/schema/resource-view.ts';
import { EXIT } from './exit-code.ts';
import { formatCount, formatDigest, formatSize } from './format.ts';

/** Lines for a person, and what they mean for the exit code. */
export interface Report {
  readonly lines: readonly string[];
  readonly code: number;
}

/**
 * What `apply` says of one plugin once its revision is checked, or the time to wait for that is over.
 * `envoyVersions`: those of the nodes it selects, e.g. `1.40`.
 */
export function reportPlugin(
  result: ApplyResult,
  view: PluginView,
  envoyVersions: readonly string[],
): Report {
  const { status } = view;
  if (status.phase === 'NotStarted') return reportNotStarted(result, view);
  if (status.phase === 'RolledBack' && result === 'unchanged') return reportHeldBack(view);
  if (status.desiredRevision === null) return reportUnchecked(result, view);
  const { targeted } = status.nodes;
  const namespace = view.metadata.namespace;
  const waiting =
    targeted === 0 ? `; it reaches the first node of namespace ${namespace} when that connects` : '';
  const lines = [`plugin ${toName(view)} ${result}, revision ${status.desiredRevision}${waiting}`];
  lines.push(...describeModule(view, envoyVersions));
  if (targeted > 0) lines.push(`  targets  ${describeTargets(view)}`);
  return { lines: [...lines, `watch: attache describe plugin ${toTyped(view)}`], code: EXIT.done };
}

/** What `apply --no-wait` says: what was stored, and nothing that is not known yet. */
export function reportStored(result: ApplyResult, view: PluginView): Report {
  const lines = [`plugin ${toName(view)} ${result}`, `watch: attache describe plugin ${toTyped(view)}`];
  return { lines, code: EXIT.done };
}

/** What `apply --wait` says at the end. */
export function reportSettled(view: PluginView, seconds: string): Report {
  const { status } = view;
  const { accepted, targeted, disconnected } = status.nodes;
  const revision = `revision ${status.currentRevision}`;
  if (status.refusal !== null && status.phase === 'RolledBack') {
    const { node, message, cause } = status.refusal;
    const back = status.currentRevision === null ? 'no node runs it' : `the nodes run ${revision}`;
    const lines = [
      `RolledBack in ${seconds}: revision ${status.refusal.revision} was refused by ${node}: "${message}"; ${back}`,
      `the cause: ${cause}`,
    ];
    return { lines, code: EXIT.refused };
  }
  if (!status.settled) {
    const lines = [
      `${status.phase} after ${seconds}: ${accepted} of ${formatCount(targeted, 'node')} run ${revision}`,
    ];
    return { lines, code: EXIT.timeout };
  }
  if (status.phase === 'NotStarted') return reportNotStarted('unchanged', view);
  const gone = disconnected === 0 ? '' : `; ${disconnected} disconnected`;
  const runs = accepted === 1 ? 'runs' : 'run';
  const line = `Succeeded in ${seconds}: ${accepted} of ${formatCount(targeted, 'node')} ${runs} ${revision}${gone}`;
  return { lines: [targeted === 0 ? `Succeeded: no node is selected yet` : line], code: EXIT.done };
}

/** What `apply` says of a raw resource. */
export function reportResource(word: string, result: ApplyResult, view: ResourceView): Report {
  const { targeted, refused } = view.status.nodes;
  const name = `${word} ${view.metadata.namespace}/${view.metadata.name}`;
  const sent =
    targeted === 0 ? 'no connected node is selected yet' : `sent to ${formatCount(targeted, 'node')} at once`;
  const lines = [
    `${name} ${result}: ${result === 'unchanged' ? `on ${formatCount(targeted, 'node')}` : sent}`,
  ];
  if (refused > 0 && result === 'unchanged') lines.push(...reportRefusals(view).lines);
  return { lines, code: refused > 0 && result === 'unchanged' ? EXIT.refused : EXIT.done };
}

/** What `apply --wait` says of a raw resource that nodes refuse. */
export function reportRefusals(view: ResourceView): Report {
  const lines = view.status.refusals.map(({ node, message }) => `  refused by ${node}: "${message}"`);
  return { lines, code: lines.length > 0 ? EXIT.refused : EXIT.done };
}

function reportNotStarted(result: ApplyResult, view: PluginView): Report {
  const { status } = view;
  const stays = status.currentRevision === null ? '' : `; revision ${status.currentRevision} stays`;
  const lines = [
    `plugin ${toName(view)} ${result}, but it cannot start: ${status.message ?? status.code ?? ''}`,
  ];
  if (status.hint !== null) lines.push(`  ${status.hint}`);
  lines.push(`  no node was touched${stays}${status.code === null ? '' : `   ${toCodeNote(status.code)}`}`);
  return { lines, code: EXIT.error };
}

function reportHeldBack(view: PluginView): Report {
  const { refusal, nodes, currentRevision } = view.status;
  const who = refusal === null ? '' : ` at ${refusal.since.slice(11, 16)} UTC by ${refusal.node}`;
  const number = refusal === null ? '' : ` ${refusal.revision}`;
  const runs = currentRevision === null ? 'no node runs it' : `the nodes run revision ${currentRevision}`;
  const lines = [
    `${toName(view)}: revision${number} was refused${who} and is held back.`,
    ...(refusal === null ? [] : [`  "${refusal.message}"`, `  the cause: ${refusal.cause}`]),
    `nothing was changed on ${formatCount(nodes.targeted, 'node')}; ${runs}.`,
    'to go on: change the module or the configuration, and apply again',
  ];
  return { lines, code: EXIT.refused };
}

function reportUnchecked(result: ApplyResult, view: PluginView): Report {
  const { message, hint, currentRevision } = view.status;
  const lines = [`plugin ${toName(view)} ${result}, revision pending: no module yet`];
  if (message !== null) lines.push(`  ${message}`);
  if (hint !== null) lines.push(`  ${hint}`);
  const stays = currentRevision === null ? '' : `; revision ${currentRevision} stays`;
  lines.push(`  Attaché keeps trying. No node is touched meanwhile${stays}.`);
  return { lines: [...lines, `watch: attache describe plugin ${toTyped(view)}`], code: EXIT.timeout };
}

function describeModule(view: PluginView, envoyVersions: readonly string[]): readonly string[] {
  const { module } = view.status;
  if (module === null) return [];
  const { sha256, sizeBytes, abi, importCount } = module;
  const known = envoyVersions.length === 0 ? '' : ` known to Envoy ${envoyVersions.join(' and ')}`;
  return [
    `  module   ${String(view.spec.url ?? module.url)} → sha256 ${formatDigest(sha256)}, ${formatSize(sizeBytes)}`,
    `  checked  ABI ${abi}, ${formatCount(importCount, 'import')}${known}`,
  ];
}

function describeTargets(view: PluginView): string {
  const { targeted, disconnected } = view.status.nodes;
  const selector = view.spec.selector as { matchLabels?: Record<string, string> } | undefined;
  const labels = Object.entries(selector?.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`);
  const connected = disconnected === 0 ? '' : `, ${targeted - disconnected} connected`;
  const chosen = labels.length === 0 ? 'no selector' : labels.join(' ');
  return `${formatCount(targeted, 'node')}${connected} (namespace ${view.metadata.namespace}, ${chosen})`;
}

function toCodeNote(code: string): string {
  return `(code ${code}, docs/errors.md#${code})`;
}

function toName(view: PluginView): string {
  return `${view.metadata.namespace}/${view.metadata.name}`;
}

/** As short as it can be typed. */
function toTyped(view: PluginView): string {
  return view.metadata.namespace === 'default' ? view.metadata.name : toName(view);
}
