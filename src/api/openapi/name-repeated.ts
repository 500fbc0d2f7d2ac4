import type { Node } from './to-openapi.ts';

/**
 * Schemas that stand within others name the component that they are, where they are one, so that the document says
 * everything once; and a choice of words is an `enum`.
 */
export function nameRepeated(document: Node): Node {
  const components = document.components as { readonly schemas: Record<string, Node> };
  const schemas = Object.fromEntries(
    Object.entries(components.schemas).map(([name, schema]) => [name, withEnums(schema) as Node]),
  );
  const names = new Map(Object.entries(schemas).map(([name, schema]) => [JSON.stringify(schema), name]));
  const replace = (value: unknown): unknown => {
    const name = isNode(value) ? names.get(JSON.stringify(value)) : undefined;
    return name === undefined ? mapChildren(value, replace) : { $ref: `#/components/schemas/${name}` };
  };
  return {
    ...document,
    paths: replace(withEnums(document.paths)),
    components: {
      ...components,
      schemas: Object.fromEntries(
        Object.entries(schemas).map(([name, schema]) => [name, mapChildren(schema, replace)]),
      ),
    },
  };
}

function withEnums(value: unknown): unknown {
  const mapped = mapChildren(value, withEnums);
  if (!isNode(mapped) || !Array.isArray(mapped.anyOf)) return mapped;
  const { anyOf, ...rest } = mapped as { readonly anyOf: readonly Node[] };
  const words = anyOf.map(one =>
    one.type === 'string' && Array.isArray(one.enum) ? (one.enum as readonly unknown[]) : undefined,
  );
  return words.every(word => word !== undefined) && anyOf.length > 0
    ? { ...rest, type: 'string', enum: words.flat() }
    : mapped;
}

function mapChildren(value: unknown, map: (child: unknown) => unknown): unknown {
  if (Array.isArray(value)) return value.map(map);
  if (!isNode(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, map(child)]));
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
