import type { NodeView, ResourceOnNode } from '../api/schema/node-view.ts';
import { formatSince, NONE } from './format.ts';
import { formatLabels } from './listings.ts';
import { formatTable } from './table.ts';
import { toSingular } from './target.ts';

/** Twelve characters tell versions apart; that of a place ends in a letter for its form, which is none of the content. */
const VERSION_LENGTH = 12;

/** A table of everything that a node has, was sent or is to have. */
export function describeResources({ status }: NodeView, nowMs: number): readonly string[] {
  const { resources = [], state } = status;
  if (resources.length === 0) return [];
  const note = state === 'Connected' ? [] : ['not connected: what it is to have; what it has is not known'];
  const table = formatTable({
    headings: ['TYPE', 'NAME', 'STATE', 'WANTED', 'SENT', 'ACCEPTED', 'AGE', 'ENVOY SAID'],
    rows: resources.map(one => [
      one.type,
      one.name,
      one.state,
      formatVersion(one.wantedVersion),
      formatVersion(one.sentVersion),
      formatVersion(one.ackedVersion),
      formatSince(one.since, nowMs),
      one.message === null ? '' : `"${toOneLine(one.message)}"`,
    ]),
  });
  return ['', ...note, table];
}

/** What the server side says of a node; nothing where it says nothing. */
export function describeSettings({ status, metadata }: NodeView): readonly string[] {
  const { settings, claimed } = status;
  const lines: string[] = [];
  if (claimed !== null)
    lines.push(
      `it says of itself: namespace ${claimed.namespace}, labels ${formatLabels(claimed.labels)}; the server takes it for namespace ${metadata.namespace}, labels ${formatLabels(metadata.labels)}`,
    );
  if (settings.claims === 'ignored') lines.push('what it says of its namespace and labels is ignored');
  if (settings.certificate !== null) lines.push(`its certificate has to be of ${settings.certificate}`);
  if (settings.admin !== null) lines.push(`admin interface: ${settings.admin}`);
  if (settings.logFile !== null) lines.push(`log: ${settings.logFile}`);
  return lines;
}

export function formatVersion(version: string | null): string {
  return version === null ? NONE : version.slice(0, VERSION_LENGTH);
}

/** `listener ingress`; a place for plugins is called so. */
export function toResourceName({ type, name }: Pick<ResourceOnNode, 'type' | 'name'>): string {
  return `${type === 'extensions' ? 'place' : toSingular(type)} ${name}`;
}

export function toOneLine(text: string): string {
  return text.trim().replace(/\s*\n\s*/g, ' ');
}
