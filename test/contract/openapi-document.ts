import Schema from 'typebox/schema';

/** The OpenAPI document as data: what a test needs of it. */

// biome-ignore lint/suspicious/noExplicitAny: JSON of a known standard, whatever is in it
export type Json = any;

export interface DocumentedOperation {
  /** `GET /v1/plugins/{namespace}/{name}` */
  readonly key: string;
  readonly method: string;
  readonly path: string;
  readonly operation: Json;
}

const METHODS = ['get', 'put', 'post', 'patch', 'delete'];

export async function readOpenApi(url: string): Promise<Json> {
  return (await fetch(`${url}/openapi.json`)).json();
}

export function operationsOf(document: Json): readonly DocumentedOperation[] {
  return Object.entries<Json>(document.paths).flatMap(([path, item]) =>
    METHODS.filter(method => method in item).map(method => ({
      key: `${method.toUpperCase()} ${path}`,
      method: method.toUpperCase(),
      path,
      operation: item[method],
    })),
  );
}

/** What a `$ref` names, or the thing itself. */
export function resolve(document: Json, node: Json): Json {
  if (typeof node?.$ref !== 'string') return node;
  const found = node.$ref
    .slice(2)
    .split('/')
    .reduce((at: Json, step: string) => at?.[step.replaceAll('~1', '/').replaceAll('~0', '~')], document);
  return found === undefined ? undefined : { ...found, ...node };
}

/** Says what of a value does not fit a schema of the document; schemas are compiled once. */
export class SchemaChecker {
  readonly #document: Json;
  readonly #compiled = new Map<string, ReturnType<typeof Schema.Compile>>();

  constructor(document: Json) {
    this.#document = document;
  }

  faultsOf(schema: Json, value: unknown): readonly string[] {
    const text = JSON.stringify(schema);
    const known = this.#compiled.get(text);
    const compiled = known ?? Schema.Compile({ ...schema, components: this.#document.components });
    this.#compiled.set(text, compiled);
    if (compiled.Check(value)) return [];
    const [, errors] = compiled.Errors(value);
    return errors.map(({ instancePath, message }) => `${instancePath || '/'} ${message}`);
  }
}
