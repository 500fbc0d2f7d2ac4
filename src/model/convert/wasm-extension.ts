import { isObject, type SourcePart } from './source-part.ts';

/** What a named Envoy extension is, as far as Wasm goes. */
export interface WasmExtension {
  readonly kind: 'http' | 'network' | 'service' | 'other';
  /** Its configuration, out of whatever it was wrapped in. */
  readonly config: SourcePart;
}

const KINDS: readonly { readonly type: RegExp; readonly kind: WasmExtension['kind'] }[] = [
  { type: /\.WasmService$/, kind: 'service' },
  { type: /filters?\.network\.wasm\.v\d\w*\.Wasm$/, kind: 'network' },
  { type: /filters?\.http\.wasm\.v\d\w*\.Wasm$/, kind: 'http' },
];
/** How filters were known before they had types. */
const OLD_NAMES = /^envoy\.(filters\.http\.|http\.|)wasm$/;
/** Deeper is no configuration of an Envoy. */
const MAX_DEPTH = 40;

/** Reads `{name, typed_config}`: the type in the open, in a TypedStruct, or the older `config` without one. */
export function readExtension(extension: SourcePart): WasmExtension {
  const typed = extension.path('typed_config') ?? extension.get('config');
  if (typed === undefined) return { kind: 'other', config: extension };
  const type = typed.get('@type')?.value;
  if (type === undefined && OLD_NAMES.test(extension.get('name')?.word ?? ''))
    return { kind: 'http', config: typed };
  if (typeof type !== 'string') return { kind: 'other', config: typed };
  if (!type.endsWith('.TypedStruct')) return { kind: toKind(type), config: typed };
  const inner = typed.get('value') ?? typed.at('value', {});
  return { kind: toKind(typed.path('type_url')?.word ?? ''), config: inner };
}

function toKind(type: string): WasmExtension['kind'] {
  return KINDS.find(one => one.type.test(type))?.kind ?? 'other';
}

/** The first Wasm service anywhere inside: an extension of the bootstrap that runs beside the traffic. */
export function findWasmService(part: SourcePart, depth = 0): SourcePart | undefined {
  if (depth > MAX_DEPTH) return undefined;
  const { value } = part;
  if (Array.isArray(value)) return findFirst(part.items(), depth);
  if (!isObject(value)) return undefined;
  if (value.name === 'envoy.bootstrap.wasm') return part;
  if (
    [value['@type'], value.type_url].some(type => typeof type === 'string' && type.endsWith('.WasmService'))
  )
    return part;
  return findFirst(
    part.entries().map(([, one]) => one),
    depth,
  );
}

function findFirst(parts: readonly SourcePart[], depth: number): SourcePart | undefined {
  for (const part of parts) {
    const found = findWasmService(part, depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

export function refuseWasmService(part: SourcePart): undefined {
  return part.refuse(
    'wasm-service',
    'a Wasm service (envoy.bootstrap.wasm) runs beside the traffic, once (singleton) or per worker; plugins here run in it',
    'Keep it in the bootstrap of your Envoys: attache bootstrap --from leaves it as it is.',
  );
}
