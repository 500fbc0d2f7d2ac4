import type { NodeView, PluginOnNode } from '../api/schema/node-view.ts';
import type { PluginView } from '../api/schema/plugin-view.ts';
import type { HistoryRow, RolloutSide, RolloutView } from '../api/schema/rollout-view.ts';
import { toCountText, toEstimateText } from '../model/quantity-text.ts';
import { formatClock, formatDigest, formatSince, formatSize, localizeTimes, NONE } from './format.ts';
import { formatLabels, HISTORY, toChangeText, toTable } from './listings.ts';
import { describeResources, describeSettings } from './node-resources-text.ts';
import { describeNext } from './rollout/rollout-end.ts';
import { drawRollout } from './rollout/rollout-tree.ts';
import { formatTable } from './table.ts';

/** All about a plugin: how far it got, what it is, what each node says, what was tried with it. */
export function describePlugin(view: PluginView, history: readonly HistoryRow[], nowMs: number): string {
  const { status, metadata } = view;
  const revision = status.currentRevision === null ? 'no revision' : `revision ${status.currentRevision}`;
  const reason = status.reason === null ? '' : ` (${status.reason})`;
  return [
    `${metadata.namespace}/${metadata.name}   ${status.phase}${reason}   ${revision}   since ${formatSince(status.since, nowMs)}`,
    ...describeTrouble(view, nowMs),
    ...describeWhat(view),
    '',
    formatTable({
      headings: ['NODE', 'WANTED', 'RUNS', 'STATE', 'AGE', 'ENVOY SAID'],
      rows: (view.onNodes ?? []).map(one => [one.node, ...toCells(one, nowMs)]),
    }),
    '',
    formatTable(toTable(HISTORY, history, nowMs, false)),
  ].join('\n');
}

/** All about a node: who it is, what runs there and in what state, and what a request passes. */
export function describeNode(node: NodeView, nowMs: number): string {
  const { metadata, status } = node;
  const zone = status.zone === '' ? '' : `   zone ${status.zone}`;
  return [
    `${metadata.name}   ${status.state} since ${formatSince(status.since, nowMs)}   Envoy ${status.envoyVersion || NONE}${zone}   namespace ${metadata.namespace}   labels ${formatLabels(metadata.labels)}`,
    ...describeExclusion(node, nowMs),
    ...describeSettings(node),
    formatTable({
      headings: ['PLUGIN', 'WANTED', 'RUNS', 'STATE', 'AGE', 'ENVOY SAID'],
      rows: status.plugins.map(one => [
        one.plugin.startsWith(`${metadata.namespace}/`)
          ? one.plugin.slice(metadata.namespace.length + 1)
          : one.plugin,
        ...toCells(one, nowMs),
      ]),
    }),
    ...describeChains(node),
    ...status.refusedResources
      .filter(one => !isListed(node, one))
      .map(one => `refused ${one.type} ${one.name} ${formatSince(one.since, nowMs)} ago: "${one.message}"`),
    ...status.plugins.flatMap(one =>
      one.cause === null ? [] : [`the cause for ${one.plugin}: ${one.cause}`],
    ),
    ...status.warnings.map(warning => `warning: ${warning}`),
    ...describeResources(node, nowMs),
  ].join('\n');
}

/** All about a rollout: its tree, and what it moves from and to. */
export function describeRollout(view: RolloutView, row: HistoryRow | undefined, nowMs: number): string {
  const expected = view.expectedMs === null ? [] : [`  expected ${toEstimateText(view.expectedMs)} more`];
  return [
    ...drawRollout(view, nowMs),
    '',
    `  id       ${view.id} (${view.change})`,
    `  plan     ${view.plan}`,
    ...expected,
    `  from     ${describeSide(view.from)}`,
    `  to       ${view.to === null ? NONE : describeSide(view.to)}`,
    ...(row?.diff ?? []).map(change => `  changed  ${toChangeText(change)}`),
    `  nodes    ${describeCounts(view)}`,
    `  actions  ${view.actions.join(', ') || NONE}`,
  ].join('\n');
}

function describeSide({ revision, digest, config, selector }: RolloutSide): string {
  if (revision === null) return 'none';
  const parts = [`revision ${revision}`];
  if (digest !== null) parts.push(`module ${formatDigest(digest)}`);
  if (config !== null) parts.push(`config ${config}`);
  if (selector !== null) parts.push(`selector ${JSON.stringify(selector)}`);
  return parts.join(', ');
}

function describeCounts({ counts }: RolloutView): string {
  const { targets, touched, untouched, done, refused, waiting, disconnected } = counts;
  const rest = [
    [refused, 'refused'],
    [waiting, 'waiting'],
    [disconnected, 'disconnected'],
  ] as const;
  const others = rest.filter(([count]) => count > 0).map(([count, word]) => `, ${count} ${word}`);
  return `${toCountText(targets, 'target')}: ${touched} moved (${done} run it${others.join('')}), ${untouched} never touched`;
}

function describeTrouble({ status }: PluginView, nowMs: number): readonly string[] {
  const lines: string[] = [];
  const { refusal, heldBack, deleted, rollout } = status;
  if (deleted !== null)
    lines.push(
      `  deleted  ${formatSince(deleted.since, nowMs)} ago by ${deleted.by}${toQuote(deleted.message)}`,
    );
  if (rollout !== null) lines.push(`  rollout  ${rollout.id}, ${rollout.phase}: ${rollout.plan}`);
  if (refusal !== null) {
    const { revision, node, message, since, cause } = refusal;
    lines.push(
      `  refused  revision ${revision} by ${node} ${formatSince(since, nowMs)} ago: "${message}"`,
      `  cause    ${cause}`,
    );
  } else if (status.message !== null) lines.push(`  message  ${status.message}`);
  if (heldBack !== null)
    lines.push(
      ...heldBack.text.split('\n').map((line, i) => `  ${i === 0 ? 'held    ' : '        '} ${line}`),
      ...describeNext(heldBack).map(
        line => `  ${line.replace(/^next: /, 'next     ').replace(/^ {6}/, ' '.repeat(9))}`,
      ),
    );
  if (status.tag !== null) {
    const { code, message, since } = status.tag;
    lines.push(
      `  tag      not followed since ${formatSince(since, nowMs)} ago, nothing was changed: ${message} (docs/errors.md#${code})`,
    );
  }
  if (status.code !== null) lines.push(`  code     ${status.code} (docs/errors.md#${status.code})`);
  if (status.hint !== null) lines.push(`  next     ${status.hint}`);
  return lines.map(line => localizeTimes(line, nowMs));
}

function describeWhat({ spec, status }: PluginView): readonly string[] {
  const { module, nodes } = status;
  const lines = [`  url      ${String(spec.url ?? NONE)}`];
  if (module !== null) {
    const { sha256, sizeBytes, abi, importCount, signature } = module;
    const of = status.currentRevision ?? status.desiredRevision;
    lines.push(
      `  module   revision ${of}: sha256 ${formatDigest(sha256)}, ${formatSize(sizeBytes)}, ABI ${abi}, ${toCountText(importCount, 'import')}`,
    );
    if (module.mirror !== null) lines.push(`  mirror   ${module.mirror}`);
    if (signature !== null) lines.push(`  signed   ${signature.text}`);
  }
  lines.push(
    `  phase    ${String(spec.phase ?? 'UNSPECIFIED_PHASE')}, priority ${String(spec.priority ?? 0)}`,
  );
  const others = [
    [nodes.refused, 'refused'],
    [nodes.waiting, 'waiting'],
    [nodes.disconnected, 'disconnected'],
    [nodes.noPlace, 'without a place'],
  ] as const;
  const rest = others.filter(([count]) => count > 0).map(([count, word]) => `, ${count} ${word}`);
  lines.push(`  nodes    ${nodes.accepted} of ${nodes.targeted} accepted${rest.join('')}`);
  return lines;
}

function describeExclusion({ status }: NodeView, nowMs: number): readonly string[] {
  const { excluded } = status;
  if (excluded === null) return [];
  const since = formatSince(excluded.since, nowMs);
  return [`excluded from rollouts by ${excluded.by} ${since} ago${toQuote(excluded.message)}`];
}

/** With its text in the table of resources. */
function isListed(
  { status }: NodeView,
  { type, name }: NodeView['status']['refusedResources'][number],
): boolean {
  return (status.resources ?? []).some(
    one => one.state === 'Refused' && one.type === type && one.name === name,
  );
}

/** `listener ingress: auth (AUTHN) → limit → router`; without a listener, where plugins could stand. */
function describeChains({ status }: NodeView): readonly string[] {
  const { chains = [], places } = status;
  if (chains.length > 0)
    return chains.flatMap(({ where, text, ties }) => [
      `${toWhereText(where)}: ${text}`,
      ...ties.map(tie => `  ${tie}`),
    ]);
  return [
    `places for plugins: ${places.length === 0 ? 'none: no listener, or none with places' : places.join(', ')}`,
  ];
}

function toWhereText(where: string): string {
  if (where === 'every listener') return where;
  return `${where.includes(', ') ? 'listeners' : 'listener'} ${where}`;
}

/** WANTED, RUNS, STATE, AGE, ENVOY SAID */
function toCells(one: PluginOnNode, nowMs: number): readonly string[] {
  const state = one.lastKnown ? `${one.state}, last known` : one.state;
  const reason = one.reason === null ? '' : ` (${one.reason})`;
  return [
    String(one.desiredRevision ?? NONE),
    String(one.revision ?? NONE),
    state + reason,
    formatSince(one.since, nowMs),
    toSaid(one, nowMs),
  ];
}

function toSaid(one: PluginOnNode, nowMs: number): string {
  if (one.message === null) return localizeTimes(one.detail ?? '', nowMs);
  const what = one.refusedRevision === null ? 'refused' : `revision ${one.refusedRevision} refused`;
  const when = one.refusedSince === null ? '' : ` at ${formatClock(Date.parse(one.refusedSince), nowMs)}`;
  return `${what}${when}: "${one.message}"`;
}

function toQuote(message: string | null): string {
  return message === null ? '' : `: "${message}"`;
}
