import type { ExtensionConfigs } from './extension-configs.ts';
import { type FilterPlace, readFilterPlace } from './filter-place.ts';
import { countErrors, type PluginDraft, toPluginDocumentName } from './plugin-draft.ts';
import { isObject, type SourcePart } from './source-part.ts';
import { readTraffic } from './traffic-context.ts';
import { readExtension, refuseWasmService } from './wasm-extension.ts';
import { readWasmFilter, type WasmFilter } from './wasm-filter.ts';
import { refuseNetworkFilter, type SourceName } from './wasm-plugin.ts';

/** A plugin, and where among others of its phase the patch puts it. */
export interface PatchedFilter {
  readonly draft: PluginDraft;
  readonly order: FilterPlace['order'];
  readonly filter: WasmFilter;
}

/** Names of filters that say only what they are. */
const GENERIC_NAME = /^envoy\./;

/** An HTTP_FILTER patch with a Wasm filter in it, or with the name of one (ECDS). */
export function readHttpFilter(
  configPatch: SourcePart,
  named: SourceName,
  extensions: ExtensionConfigs,
): PatchedFilter | undefined {
  const before = countErrors(configPatch);
  const match = configPatch.get('match');
  const patch = configPatch.get('patch');
  if (patch === undefined) return configPatch.refuse('missing-field', 'patch is missing: there is no filter');
  const place = readFilterPlace(patch, match);
  const value = patch.get('value');
  if (place === undefined) return undefined;
  if (value === undefined) return patch.refuse('missing-field', 'value is missing: there is no filter');
  const filter = readFilter(value, named, extensions);
  if (filter === undefined) return undefined;
  if (match !== undefined) tellOfMatch(match);
  const traffic = readTraffic(match?.get('context'), match?.path('listener', 'port_number'));
  const name = toName(filter, value, named);
  if (name === '') configPatch.refuse('missing-field', 'neither the filter nor the document has a name');
  if (countErrors(configPatch) > before) return undefined;
  const fields = { ...filter.fields, match: traffic, phase: place.phase };
  const draft = { name, namespace: named.namespace, fields, part: configPatch };
  return { draft, order: place.order, filter };
}

function readFilter(
  value: SourcePart,
  { namespace }: SourceName,
  extensions: ExtensionConfigs,
): WasmFilter | undefined {
  value.leaveOutOthers(['name', 'typed_config', 'config', 'config_discovery', 'is_optional']);
  const isDiscovered = value.path('config_discovery') !== undefined;
  const name = value.get('name')?.text() ?? '';
  const found = isDiscovered ? extensions.find(name, namespace) : value;
  if (found === undefined)
    return value.refuse(
      'missing-field',
      `no EXTENSION_CONFIG patch is called ${JSON.stringify(name)}`,
      'If it stands in another file, convert both together.',
    );
  const { kind, config } = readExtension(found);
  const filter = kind === 'http' ? readWasmFilter(config) : refuseKind(kind, found);
  // The error stands where the fault is, which may be another document.
  if (filter === undefined && found.notes !== value.notes)
    value.warn('left out: its EXTENSION_CONFIG cannot be converted');
  return filter;
}

function refuseKind(kind: 'network' | 'service' | 'other', found: SourcePart): undefined {
  if (kind === 'service') return refuseWasmService(found);
  if (kind === 'network') return refuseNetworkFilter(found);
  return found.refuse(
    'not-a-wasm-filter',
    'not a Wasm filter',
    'Write it into the listener of your Envoys: attache apply takes listeners as Envoy has them.',
  );
}

/** By its own name, else by that in the chain, else by that of the document. */
function toName(filter: WasmFilter, value: SourcePart, named: SourceName): string {
  const inChain = value.get('name')?.value;
  const names = [
    filter.name,
    typeof inChain === 'string' && !GENERIC_NAME.test(inChain) ? inChain : '',
    named.name,
  ];
  return names.map(name => toPluginDocumentName(name ?? '')).find(name => name !== '') ?? '';
}

/** What chooses listeners or Envoys there, and nothing here. */
function tellOfMatch(match: SourcePart): void {
  match
    .get('proxy')
    ?.warn(
      'left out: Envoys of every version get the plugin',
      'If there is one patch a version, keep one of the plugins.',
    );
  for (const field of ['route_configuration', 'cluster'])
    match.path(field)?.warn('left out: a plugin is on all routes of its listeners');
  const listener = match.get('listener');
  for (const field of ['name', 'port_name', 'listener_filter'])
    listener
      ?.path(field)
      ?.warn('left out: plain Envoys name their listeners otherwise', 'Choose by match[].ports.');
  const chain = listener?.path('filter_chain');
  if (!isObject(chain?.value)) return;
  for (const [key, one] of chain.entries())
    if (key !== 'filter') one.warn('left out: the plugin is on all filter chains of its listeners');
}
