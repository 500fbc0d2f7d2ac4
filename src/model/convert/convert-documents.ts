import { toCanonicalJson } from '../plugin-spec.ts';
import type { Conversion, ConversionNote, ConvertedPlugin } from './conversion.ts';
import { convertEnvoyFilter } from './envoy-filter.ts';
import { ExtensionConfigs } from './extension-configs.ts';
import { convertFilterDeployment } from './filter-deployment.ts';
import { convertHigressPlugin } from './higress-plugin.ts';
import { isObject, SourcePart } from './source-part.ts';
import { findWasmService, refuseWasmService } from './wasm-extension.ts';
import { convertTrafficExtension, convertWasmPlugin, type SourceName } from './wasm-plugin.ts';

interface Source {
  readonly source: number;
  readonly root: SourcePart;
  readonly named: SourceName;
  readonly kind: string;
  readonly group: string;
}

/** What is converted, by kind and by the group of its apiVersion. */
const CONVERTERS: readonly {
  readonly kind: string;
  readonly group: string;
  convert(root: SourcePart, named: SourceName, extensions: ExtensionConfigs): readonly ConvertedPlugin[];
}[] = [
  { kind: 'WasmPlugin', group: 'extensions.istio.io', convert: convertWasmPlugin },
  { kind: 'WasmPlugin', group: 'extensions.higress.io', convert: convertHigressPlugin },
  { kind: 'TrafficExtension', group: 'extensions.istio.io', convert: convertTrafficExtension },
  { kind: 'EnvoyFilter', group: 'networking.istio.io', convert: convertEnvoyFilter },
  { kind: 'ASMFilterDeployment', group: 'istio.alibabacloud.com', convert: convertFilterDeployment },
  { kind: 'FilterDeployment', group: 'wasme.io', convert: convertFilterDeployment },
];

/**
 * Turns documents of other control planes into plugins, all that belong together at once: an EnvoyFilter may refer to
 * another one. `namespace` is for those that name none. Never throws for what a document holds.
 */
export function convertDocuments(
  documents: readonly unknown[],
  { namespace }: { readonly namespace?: string } = {},
): readonly Conversion[] {
  const sources = documents.flatMap((value, source) => {
    const whole = new SourcePart(value, '', []);
    return listItems(whole).map(root => toSource(root, source, namespace));
  });
  const extensions = new ExtensionConfigs();
  for (const { kind, root, named } of sources)
    if (kind === 'EnvoyFilter') extensions.add(named.namespace, root.path('spec', 'config_patches'));
  const converted = sources.map(one => ({ ...one, plugins: convertSource(one, extensions) }));
  extensions.warnOfUnused();
  const names = new Map<string, string>();
  return converted.map(one => ({
    source: one.source,
    pointer: one.root.pointer,
    title: toTitle(one),
    plugins: one.plugins.flatMap(plugin => withOwnName(plugin, one.root, names)),
    notes: withoutDoubles(one.root.notes),
  }));
}

/** The items of what `kubectl get -o yaml` prints, each with notes of its own. */
function listItems(whole: SourcePart): readonly SourcePart[] {
  const items = whole.get('items');
  if (!/List$/.test(whole.get('kind')?.word ?? '') || !Array.isArray(items?.value)) return [whole];
  return items.items().map(({ value, pointer }) => new SourcePart(value, pointer, []));
}

function toSource(root: SourcePart, source: number, fallback: string | undefined): Source {
  const metadata = root.get('metadata');
  const text = (part: SourcePart | undefined) =>
    typeof part?.value === 'string' && part.value !== '' ? part.value : undefined;
  const named = {
    name: text(metadata?.get('name')),
    namespace: text(metadata?.get('namespace')) ?? fallback,
  };
  const group = text(root.get('apiVersion'))?.split('/')[0] ?? '';
  return { source, root, named, kind: text(root.get('kind')) ?? '', group };
}

function convertSource({ root, named, kind, group }: Source, extensions: ExtensionConfigs) {
  const converters = CONVERTERS.filter(one => one.kind === kind);
  const converter = converters.find(one => one.group === group);
  if (converter !== undefined) return converter.convert(root, named, extensions);
  if (converters.length === 0) tellOfOther(root, kind, group);
  else {
    const known = converters.map(one => `${one.group}/…`).join(', ');
    root
      .at('apiVersion', undefined)
      .refuse('unknown-kind', `a ${kind} of this apiVersion is not known`, `Known: ${known}`);
  }
  return [];
}

/** What is none of ours to convert: most of what a folder of manifests holds. */
function tellOfOther(root: SourcePart, kind: string, group: string): void {
  const service = kind === '' ? findWasmService(root) : undefined;
  if (service !== undefined) refuseWasmService(service);
  else if (!isObject(root.value)) root.refuse('wrong-type', 'expected an object');
  else if (root.path('static_resources') !== undefined)
    root.note('left out: a bootstrap of Envoy', 'See attache bootstrap --from.');
  else if (group === 'attache' || root.get('@type') !== undefined)
    root.note('left out: attache apply takes it as it is');
  else if (kind === 'Secret' && root.get('type')?.value === 'kubernetes.io/dockerconfigjson')
    root.note('left out: attache apply takes credentials of registries as they are');
  else root.note('left out: it holds no plugin');
}

function toTitle({ kind, named: { name, namespace } }: Source): string {
  const path = [namespace, name].filter(part => part !== undefined).join('/');
  return [kind === '' ? 'a document without a kind' : kind, path].filter(part => part !== '').join(' ');
}

/** Of two plugins with one name the later one gets another, unless it is the same. */
function withOwnName(
  plugin: ConvertedPlugin,
  root: SourcePart,
  names: Map<string, string>,
): readonly ConvertedPlugin[] {
  const { document, pointer } = plugin;
  const { metadata } = document;
  const part = new SourcePart(undefined, pointer, root.notes);
  const spec = toCanonicalJson(document.spec);
  const taken = (name: string) => names.get(`${metadata.namespace ?? ''}/${name}`);
  let name = metadata.name;
  for (let count = 2; taken(name) !== undefined && taken(name) !== spec; count++)
    name = `${metadata.name}-${count}`;
  if (taken(name) === spec) {
    part.note(`left out: plugin ${name} is there already, and the same`);
    return [];
  }
  if (name !== metadata.name)
    part.warn(
      `another plugin is called ${metadata.name}, so this one became ${name}`,
      'Both run: leave one out if only one is meant.',
    );
  names.set(`${metadata.namespace ?? ''}/${name}`, spec);
  return [{ pointer, document: { ...document, metadata: { ...metadata, name } } }];
}

/** A filter is read as often as patches add it; what it loses by that is told once. */
function withoutDoubles(notes: readonly ConversionNote[]): readonly ConversionNote[] {
  const unique = new Map<string, ConversionNote>();
  for (const note of notes) {
    const { level, pointer, message } = note;
    const key = `${level === 'note' ? pointer.replace(/\/config_?[pP]atches\/\d+/, '') : pointer} ${message}`;
    if (!unique.has(key)) unique.set(key, note);
  }
  return [...unique.values()];
}
