import { isMap, isScalar, isSeq, type Pair, YAMLMap, YAMLSeq } from 'yaml';

/** Types whose fields stand inside a `value`, see https://github.com/cncf/xds/blob/main/xds/type/v3/typed_struct.proto */
const TYPED_STRUCT = /\/(xds|udpa)\.type\.v[13]\.TypedStruct$/;
const LISTS: Readonly<Record<'listener' | 'chain' | 'manager', readonly string[]>> = {
  listener: ['filter_chains', 'listener_filters', 'access_log'],
  chain: ['filters'],
  manager: ['http_filters', 'access_log'],
};

/**
 * Writes a listener as documents are read, in place, as far as the way to its HTTP filters goes: Envoy takes one thing for a list
 * of it, and a filter's configuration in a TypedStruct.
 */
export function makePlain(listener: YAMLMap): void {
  makeLists(listener, LISTS.listener);
  const chains = [
    ...itemsOf(findPair(listener, 'filter_chains')?.value),
    findPair(listener, 'default_filter_chain')?.value,
  ];
  for (const chain of chains.filter(isMap)) {
    makeLists(chain, LISTS.chain);
    for (const filter of itemsOf(findPair(chain, 'filters')?.value).filter(isMap)) {
      const config = unwrap(filter);
      if (config !== undefined) makeLists(config, LISTS.manager);
    }
  }
}

function makeLists(map: YAMLMap, keys: readonly string[]): void {
  for (const key of keys) {
    const pair = findPair(map, key);
    if (pair === undefined || !isMap(pair.value)) continue;
    const list = new YAMLSeq();
    list.items.push(pair.value);
    pair.value = list;
  }
}

/** The configuration of a filter, with its own type. */
function unwrap(filter: YAMLMap): YAMLMap | undefined {
  const pair = findPair(filter, 'typed_config');
  const config = pair?.value;
  if (pair === undefined || !isMap(config)) return undefined;
  const [type, inner, value] = ['@type', 'type_url', 'value'].map(key => findPair(config, key));
  if (!isScalar(type?.value) || !TYPED_STRUCT.test(String(type.value.value))) return config;
  if (!isMap(value?.value) || inner === undefined) return config;
  const plain = new YAMLMap();
  type.value = inner.value;
  plain.items.push(type, ...value.value.items);
  pair.value = plain;
  return plain;
}

function itemsOf(node: unknown): readonly unknown[] {
  return isSeq(node) ? node.items : [];
}

/** Fields stand in snake case or in camel case. */
function findPair(map: YAMLMap, key: string): Pair | undefined {
  const camel = key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return map.items.find(pair => isScalar(pair.key) && [key, camel].includes(String(pair.key.value)));
}
