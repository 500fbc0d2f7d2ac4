import type { ModuleView } from '../api/schema/module-view.ts';
import type { NodeGroupView } from '../api/schema/node-group-view.ts';
import type { PullSecretView } from '../api/schema/pull-secret-view.ts';
import type { ResourceView } from '../api/schema/resource-view.ts';
import { toCountText } from '../model/quantity-text.ts';
import { formatSince, formatSize, NONE } from './format.ts';
import { toSingular } from './target.ts';
import { toYaml } from './to-yaml.ts';

/** All about a module: what it is, where it came from, and what keeps it. */
export function describeModule(module: ModuleView, nowMs: number): string {
  const kept = module.heldBy.map(({ plugin, revision, why }) => `${plugin} revision ${revision} (${why})`);
  if (module.inRegistry) kept.push('the built-in registry');
  return [
    `module sha256:${module.sha256}`,
    `  size     ${formatSize(module.sizeBytes)}, ABI ${module.abi}, ${toCountText(module.importCount, 'import')}, layout ${module.layout}`,
    ...toLines('from', module.from),
    ...toLines('mirror', module.mirrors),
    ...toLines(
      'signed',
      module.signatures.map(({ url, text }) => `${text} (${url})`),
    ),
    `  nodes    ${toCountText(module.nodes, 'connected node')} with it`,
    `  seen     first ${formatSince(module.firstSeenAt, nowMs)} ago${module.here ? '' : '; its bytes are not here'}`,
    ...toLines('kept for', kept.length === 0 ? ['nothing: it goes a day after its last use'] : kept),
  ].join('\n');
}

/** Whom a group holds, by what, and for which plugins. */
export function describeNodeGroup({ metadata, spec, status }: NodeGroupView, nowMs: number): string {
  const { known, connected } = status.nodes;
  return [
    `node group ${metadata.namespace}/${metadata.name}   stored ${formatSince(metadata.createdAt, nowMs)} ago`,
    `  nodes    ${toCountText(known, 'node')}, ${connected} connected`,
    ...toLines(
      'labels',
      Object.entries(spec.selector?.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`),
    ),
    ...toLines('ids', spec.nodes ?? []),
    `  used by  ${status.usedBy.join(', ') || 'no plugin'}`,
  ].join('\n');
}

/** What is known of stored credentials: what is secret in them is shown nowhere. */
export function describePullSecret({ metadata, status }: PullSecretView, nowMs: number): string {
  return [
    `pull secret ${metadata.namespace}/${metadata.name}   stored ${formatSince(metadata.createdAt, nowMs)} ago`,
    `  for      ${status.registries.join(', ') || NONE}`,
    `  used by  ${status.usedBy.join(', ') || 'no plugin'}`,
  ].join('\n');
}

/** All about a resource of the user's own: who has it, who refused it, and what it is. */
export function describeResource({ metadata, type, spec, status }: ResourceView, nowMs: number): string {
  const { targeted, refused, disconnected } = status.nodes;
  const others = [
    [refused, 'refused'],
    [disconnected, 'disconnected'],
  ] as const;
  const rest = others.filter(([count]) => count > 0).map(([count, word]) => `, ${count} ${word}`);
  const envoyName = status.envoyName === metadata.name ? '' : `   in Envoy ${status.envoyName}`;
  return [
    `${toSingular(type)} ${metadata.namespace}/${metadata.name}${envoyName}   stored ${formatSince(metadata.createdAt, nowMs)} ago`,
    `  nodes    ${toCountText(targeted, 'connected node')}${rest.join('')}`,
    ...status.refusals.map(
      ({ node, message, since }) => `  refused  by ${node} ${formatSince(since, nowMs)} ago: "${message}"`,
    ),
    '',
    toYaml(spec).trimEnd(),
  ].join('\n');
}

function toLines(label: string, values: readonly string[]): readonly string[] {
  return values.map((value, i) => `  ${(i === 0 ? label : '').padEnd(8)} ${value}`);
}
