import type { ConvertedPlugin } from './conversion.ts';
import { type DraftField, finishPlugin, toField } from './plugin-draft.ts';
import { isObject, type SourcePart } from './source-part.ts';
import { refuseFileUrl } from './wasm-code.ts';

/** What is known of the metadata of any document. */
export interface SourceName {
  readonly name: string | undefined;
  readonly namespace: string | undefined;
}

/**
 * Istio's WasmPlugin: the same fields. https://istio.io/latest/docs/reference/config/proxy_extensions/wasm-plugin/
 */
export function convertWasmPlugin(root: SourcePart, named: SourceName): readonly ConvertedPlugin[] {
  const spec = root.get('spec');
  if (spec === undefined) root.refuse('missing-field', 'spec is missing');
  return spec === undefined ? [] : convertSpec(root, named, toFields(spec));
}

/**
 * Istio's TrafficExtension, from 1.30 on: what says where stands outside, the module in `wasm`.
 * https://istio.io/latest/docs/reference/config/proxy_extensions/traffic-extension/
 */
export function convertTrafficExtension(root: SourcePart, named: SourceName): readonly ConvertedPlugin[] {
  const spec = root.get('spec');
  const wasm = spec?.get('wasm');
  const lua = spec?.get('lua');
  if (lua !== undefined)
    lua.refuse(
      'not-a-wasm-filter',
      'a Lua script is no plugin',
      'Write a Lua filter into the listener of your Envoys.',
    );
  else if (wasm === undefined) (spec ?? root).refuse('missing-field', 'wasm is missing: there is no module');
  if (spec === undefined || wasm === undefined || lua !== undefined) return [];
  const { wasm: _, ...placement } = toFields(spec);
  return convertSpec(root, named, { ...placement, ...toFields(wasm) });
}

export type Fields = Readonly<Record<string, DraftField | undefined>>;

/** Every field with a value, known or not: what is not known is told when the document is checked. */
export function toFields(part: SourcePart): Fields {
  if (!isObject(part.value)) part.refuse('wrong-type', 'expected an object');
  const keys = isObject(part.value) ? Object.keys(part.value) : [];
  return Object.fromEntries(keys.map(key => [key, toField(part.get(key))]));
}

/** The plugin of these fields, which are Istio's. */
export function convertSpec(root: SourcePart, named: SourceName, fields: Fields): readonly ConvertedPlugin[] {
  if (named.name === undefined) root.refuse('missing-field', 'metadata.name is missing');
  const isFile = refuseFileUrl(fields.url?.part);
  const { type } = fields;
  if (type?.value === 'NETWORK') refuseNetworkFilter(type.part);
  if (named.name === undefined || isFile || type?.value === 'NETWORK') return [];
  fields.verificationKey?.part.warn(
    'Istio ignores it, Attaché obeys it: a module that is not signed with this key is refused',
    'Sign the module, or leave it out.',
  );
  const plugin = finishPlugin({ name: named.name, namespace: named.namespace, fields, part: root });
  return plugin === undefined ? [] : [plugin];
}

/** A filter on TCP connections. */
export function refuseNetworkFilter(part: SourcePart): undefined {
  return part.refuse(
    'network-filter',
    'plugins work on HTTP here; a network filter works on TCP connections',
    'Keep it in the filter chain of the listener: attache apply takes listeners as Envoy has them.',
  );
}
