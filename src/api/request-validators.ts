import { createRequire } from 'node:module';
import type { FastifySchemaCompiler, FastifySchemaValidationError, FastifyServerOptions } from 'fastify';

type Compilers = NonNullable<NonNullable<FastifyServerOptions['schemaController']>['compilersFactory']>;
type Compile = FastifySchemaCompiler<unknown>;

/** As fastify resolves names: what it would validate with is its own dependency. */
const require = createRequire(createRequire(import.meta.url).resolve('fastify'));

/**
 * What fastify checks requests and writes answers with. A schema is compiled by Ajv, as fastify does it, when the first
 * request comes that it is for: all of them at the start took 350 ms of CPU, and most servers never see half of them. A
 * schema that cannot be compiled is found by the contract test, which calls every route.
 */
export function createCompilers(): Compilers {
  let build: ((options: unknown) => Compile) | undefined;
  return {
    // The named schemas are of answers: no schema of a request refers to one.
    buildValidator: ((_named: unknown, options: unknown) => {
      let compile: Compile | undefined;
      return toLazy(route => {
        build ??= loadAjv();
        compile ??= build(options);
        return compile(route);
      });
    }) as unknown as NonNullable<Compilers['buildValidator']>,
    // Answers are built from typed values; a second serializer would only be able to lose fields.
    buildSerializer: () => () => (value: unknown) => JSON.stringify(value),
  };
}

function loadAjv(): (options: unknown) => Compile {
  const createPool = require('@fastify/ajv-compiler') as () => (named: object, options: unknown) => Compile;
  return options => createPool()({}, options);
}

/** Routes share schemas: each is compiled once. */
function toLazy(compile: Compile): Compile {
  const known = new WeakMap<object, ReturnType<Compile>>();
  return route => {
    const schema = route.schema as object;
    const validate = known.get(schema) ?? createValidator(schema, () => compile(route));
    known.set(schema, validate);
    return validate;
  };
}

function createValidator(schema: object, compile: () => ReturnType<Compile>): ReturnType<Compile> {
  let compiled: ReturnType<Compile> | undefined;
  const takesNothing = isWithoutMembers(schema);
  const validate: { (value: unknown): unknown; errors?: FastifySchemaValidationError[] | null } = value => {
    // The query of a probe: no reason to load a compiler.
    if (takesNothing && isEmpty(value)) return true;
    compiled ??= compile();
    const result = compiled(value);
    validate.errors = compiled.errors ?? null;
    return result;
  };
  return validate as ReturnType<Compile>;
}

/** What it says is fulfilled by an object without members. */
function isWithoutMembers(schema: object): boolean {
  const { type, properties, additionalProperties, ...more } = schema as Readonly<Record<string, unknown>>;
  return type === 'object' && isEmpty(properties) && isEmpty(more) && additionalProperties === false;
}

function isEmpty(value: unknown): boolean {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length === 0
  );
}
