import type { NodeView, PluginOnNode } from '../api/schema/node-view.ts';
import type { PluginView, RevisionView } from '../api/schema/plugin-view.ts';
import { formatCount, formatDigest, formatSince, formatSize, NONE } from './format.ts';
import { formatLabels } from './listings.ts';
import { formatTable } from './table.ts';

/** All about a plugin: how far it got, what it is, what each node says, what it was before. */
export function describePlugin(view: PluginView, revisions: readonly RevisionView[], nowMs: number): string {
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
    formatTable({
      headings: ['REVISION', 'DIGEST', 'CONFIG', 'RESULT', 'WHO', 'MESSAGE', 'WHEN'],
      rows: revisions.map(one => [
        String(one.number),
        formatDigest(one.module.sha256),
        one.config,
        one.result,
        // Everybody on loopback is admin until there are tokens.
        'admin',
        one.message ?? NONE,
        formatSince(one.createdAt, nowMs),
      ]),
    }),
  ].join('\n');
}

/** All about a node: who it is, what runs there and in what state. */
export function describeNode(node: NodeView, nowMs: number): string {
  const { metadata, status } = node;
  const zone = status.zone === '' ? '' : `   zone ${status.zone}`;
  const places =
    status.places.length === 0 ? 'none: no listener, or none with places' : status.places.join(', ');
  return [
    `${metadata.name}   ${status.state} since ${formatSince(status.since, nowMs)}   Envoy ${status.envoyVersion || NONE}${zone}   namespace ${metadata.namespace}   labels ${formatLabels(metadata.labels)}`,
    formatTable({
      headings: ['PLUGIN', 'WANTED', 'RUNS', 'STATE', 'AGE', 'ENVOY SAID'],
      rows: status.plugins.map(one => [one.plugin, ...toCells(one, nowMs)]),
    }),
    `places for plugins: ${places}`,
    ...status.refusedResources.map(
      one => `refused ${one.type} ${one.name} ${formatSince(one.since, nowMs)} ago: "${one.message}"`,
    ),
    ...status.plugins.flatMap(one =>
      one.cause === null ? [] : [`the cause for ${one.plugin}: ${one.cause}`],
    ),
    ...status.warnings.map(warning => `warning: ${warning}`),
  ].join('\n');
}

function describeTrouble({ status }: PluginView, nowMs: number): readonly string[] {
  const lines: string[] = [];
  if (status.refusal !== null) {
    const { revision, node, message, since, cause } = status.refusal;
    lines.push(
      `  refused  revision ${revision} by ${node} ${formatSince(since, nowMs)} ago: "${message}"`,
      `  cause    ${cause}`,
    );
  } else if (status.message !== null) lines.push(`  message  ${status.message}`);
  if (status.code !== null) lines.push(`  code     ${status.code} (docs/errors.md#${status.code})`);
  if (status.hint !== null) lines.push(`  next     ${status.hint}`);
  return lines;
}

function describeWhat({ spec, status }: PluginView): readonly string[] {
  const { module, nodes } = status;
  const lines = [`  url      ${String(spec.url ?? NONE)}`];
  if (module !== null) {
    const { sha256, sizeBytes, abi, importCount } = module;
    const of = status.currentRevision ?? status.desiredRevision;
    lines.push(
      `  module   revision ${of}: sha256 ${formatDigest(sha256)}, ${formatSize(sizeBytes)}, ABI ${abi}, ${formatCount(importCount, 'import')}`,
    );
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
  if (one.message === null) return one.detail ?? '';
  const what = one.refusedRevision === null ? '' : `revision ${one.refusedRevision} refused `;
  const when = one.refusedSince === null ? '' : `${formatSince(one.refusedSince, nowMs)} ago: `;
  return `${what}${when}"${one.message}"`;
}
