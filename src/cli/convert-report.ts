import type { Conversion, ConversionNote, ConvertedPlugin } from '../model/convert/conversion.ts';
import { DEFAULT_ROOT_NAMESPACE } from '../model/document-metadata.ts';
import type { TargetRef } from '../model/plugin-spec.ts';
import { toCountText } from '../model/quantity-text.ts';
import { REF_LABELS } from '../model/selector.ts';
import { toDotted } from './print-error.ts';
import type { SourceDocument } from './read-documents.ts';
import { toYaml } from './to-yaml.ts';

/** A note with where it stands, for programs. */
export interface ReportedNote {
  readonly level: ConversionNote['level'];
  readonly code?: string;
  /** `EnvoyFilter shop/auth` */
  readonly document: string;
  /** `file:line:column` */
  readonly where: string;
  /** RFC 6901 pointer into the document. */
  readonly pointer: string;
  readonly message: string;
  readonly hint?: string;
}

/** Documents for `apply -f`, each with what it lost as comments above; harmless losses are in the report alone. */
export function toConvertedYaml(
  conversions: readonly Conversion[],
  sources: readonly SourceDocument[],
): string {
  const parts = conversions.flatMap(one => {
    const head = `${one.title}, ${locate(one, one.pointer, sources)}`;
    const comments = (notes: readonly ConversionNote[], what: string) =>
      [
        `from ${head}${what}`,
        ...notes.filter(({ level }) => level !== 'note').map(note => describeNote(one, note, sources)),
      ]
        .map(toComment)
        .join('');
    if (one.plugins.length === 0)
      return one.notes.some(({ level }) => level === 'error') ? [comments(one.notes, ': no plugin')] : [];
    return one.plugins.map(plugin => comments(notesOf(plugin, one), '') + toYaml(plugin.document));
  });
  return parts.join('---\n');
}

/** What stands in the part that a plugin was made of; the first plugin has what stands in none as well. */
function notesOf(plugin: ConvertedPlugin, { plugins, notes }: Conversion): readonly ConversionNote[] {
  const isIn = ({ pointer }: ConversionNote, one: ConvertedPlugin) =>
    pointer === one.pointer || pointer.startsWith(`${one.pointer}/`);
  const isFirst = plugins[0] === plugin;
  return notes.filter(note => isIn(note, plugin) || (isFirst && !plugins.some(one => isIn(note, one))));
}

function toComment(line: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a line break would end the comment, wherever it comes from
  return `# ${line.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\ufeff]/g, ' ')}\n`;
}

/** For people: a line a document, what could not be carried over below it, and a summary. */
export function describeConversions(
  conversions: readonly Conversion[],
  sources: readonly SourceDocument[],
): readonly string[] {
  return conversions.flatMap(one => [
    `${locate(one, one.pointer, sources)}: ${one.title} -> ${describePlugins(one.plugins)}`,
    ...one.notes.map(note => `  ${describeNote(one, note, sources)}`),
  ]);
}

function describePlugins(plugins: readonly ConvertedPlugin[]): string {
  if (plugins.length === 0) return 'no plugin';
  const names = plugins.map(({ document: { metadata } }) =>
    metadata.namespace === undefined ? metadata.name : `${metadata.namespace}/${metadata.name}`,
  );
  return `${names.length === 1 ? 'plugin' : 'plugins'} ${names.join(', ')}`;
}

/** `warning: a.yaml:3:5: spec.type: what. What to do [code]` */
function describeNote(one: Conversion, note: ConversionNote, sources: readonly SourceDocument[]): string {
  const field = toDotted(note.pointer.slice(one.pointer.length));
  const what = [locate(one, note.pointer, sources), field, note.message]
    .filter(part => part !== '')
    .join(': ');
  const hint = note.hint === undefined ? '' : `. ${note.hint}`;
  return `${note.level}: ${what}${hint}${note.code === undefined ? '' : ` [${note.code}]`}`;
}

/** `2 plugins of 3 documents, 1 error, 4 warnings`, and who gets them. */
export function summarize(conversions: readonly Conversion[]): readonly string[] {
  const plugins = conversions.flatMap(one => one.plugins);
  const notes = conversions.flatMap(one => one.notes);
  const count = (level: ConversionNote['level']) => notes.filter(note => note.level === level).length;
  const counts = (['error', 'warning', 'note'] as const)
    .filter(level => count(level) > 0)
    .map(level => toCountText(count(level), level));
  const made = `${toCountText(plugins.length, 'plugin')} of ${toCountText(conversions.length, 'document')}`;
  const selections = [...new Set(plugins.map(describeSelection))];
  return [
    [made, ...counts].join(', '),
    ...(selections.length === 0 ? [] : ['They select nodes by what the nodes say of themselves:']),
    ...selections.map(line => `  ${line}`),
  ];
}

/** How an Envoy becomes a node that a plugin selects. */
function describeSelection({ document: { metadata, spec } }: ConvertedPlugin): string {
  const selector = spec.selector as { matchLabels?: Readonly<Record<string, string>> } | undefined;
  const gateways = Array.isArray(spec.targetRefs) ? (spec.targetRefs as readonly TargetRef[]) : [];
  const labels = [
    ...Object.entries(selector?.matchLabels ?? {}),
    // One of them is enough.
    ...gateways.slice(0, 1).flatMap(({ kind, name }) => {
      const label = REF_LABELS[kind];
      return label === undefined ? [] : [[label, name] as const];
    }),
  ].map(([key, value]) => ` --label ${key}=${value}`);
  const { namespace } = metadata;
  const isRoot = namespace === DEFAULT_ROOT_NAMESPACE;
  const option = namespace === undefined || isRoot ? '' : ` --namespace ${namespace}`;
  const any = isRoot ? `   # in any namespace: ${namespace} is the root-namespace of the server` : '';
  return `attache bootstrap --id ID${option}${labels.join('')}${any}`;
}

/** Everything that was noted, for programs. */
export function toReportedNotes(
  conversions: readonly Conversion[],
  sources: readonly SourceDocument[],
): readonly ReportedNote[] {
  return conversions.flatMap(one =>
    one.notes.map(({ level, code, pointer, message, hint }) => ({
      level,
      ...(code === undefined ? {} : { code }),
      document: one.title,
      where: locate(one, pointer, sources),
      pointer,
      message,
      ...(hint === undefined ? {} : { hint }),
    })),
  );
}

function locate({ source }: Conversion, pointer: string, sources: readonly SourceDocument[]): string {
  return sources[source]?.locate(pointer) ?? '';
}
