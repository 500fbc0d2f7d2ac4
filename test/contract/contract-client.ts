import assert from 'node:assert/strict';
import { type DocumentedOperation, type Json, resolve, SchemaChecker } from './openapi-document.ts';

/** One request of an operation, and what is to come of it. */
export interface Exercise {
  /** For the places in the path, and the query. */
  readonly path?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Default: none. */
  readonly body?: unknown;
  readonly status: number;
  /** Of the problem, where it is to be one. */
  readonly code?: string;
}

export interface Exercised {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Json;
}

/** Sends requests that the document allows, and takes answers that it announces; anything else fails. */
export class ContractClient {
  readonly #url: string;
  readonly #document: Json;
  readonly #checker: SchemaChecker;

  constructor(url: string, document: Json) {
    this.#url = url;
    this.#document = document;
    this.#checker = new SchemaChecker(document);
  }

  async exercise(documented: DocumentedOperation, exercise: Exercise): Promise<Exercised> {
    const { key, method, path, operation } = documented;
    const { path: places = {}, query = {}, headers = {}, body, status, code } = exercise;
    this.#checkParameters(key, operation, { path: places, query, header: headers });
    const type = this.#checkBody(key, operation, body);
    const filled = path.replaceAll(/\{(\w+)\}/g, (_, name) =>
      encodeURIComponent(places[name] ?? assert.fail(`${key}: no ${name}`)),
    );
    const search = new URLSearchParams(query).toString();
    const response = await fetch(`${this.#url}${filled}${search === '' ? '' : `?${search}`}`, {
      method,
      headers: { ...(type === undefined ? {} : { 'content-type': type }), ...headers },
      signal: AbortSignal.timeout(60_000),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const answer = await this.#read(response);
    const told = `${key} ${JSON.stringify(exercise)}: ${response.status} ${JSON.stringify(answer)?.slice(0, 600)}`;
    assert.equal(response.status, status, told);
    if (code !== undefined) assert.equal(answer.code, code, told);
    this.#checkAnswer(told, method, operation, response, answer);
    return { status: response.status, headers: response.headers, body: answer };
  }

  #checkParameters(
    key: string,
    { parameters = [] }: Json,
    given: Readonly<Record<string, Readonly<Record<string, string>>>>,
  ): void {
    for (const [where, values] of Object.entries(given))
      for (const [name, text] of Object.entries(values)) {
        const known = parameters.find((one: Json) => one.in === where && one.name === name);
        if (known === undefined && where === 'header' && !/^if-/.test(name)) continue;
        assert.ok(known !== undefined, `${key}: ${where} ${name} is not documented`);
        assert.deepEqual(
          this.#checker.faultsOf(known.schema, toTyped(known.schema, text)),
          [],
          `${key} ${name}`,
        );
      }
    const missing = parameters.filter((one: Json) => one.required && given[one.in]?.[one.name] === undefined);
    assert.deepEqual(missing, [], key);
  }

  /** The content type that the body goes with. */
  #checkBody(key: string, { requestBody }: Json, body: unknown): string | undefined {
    if (body === undefined) {
      assert.ok(requestBody?.required !== true, `${key} takes a body`);
      return undefined;
    }
    const [[type, { schema }]] = Object.entries<Json>(requestBody.content) as [[string, Json]];
    assert.deepEqual(this.#checker.faultsOf(schema, body), [], `${key}: the body`);
    return type;
  }

  async #read(response: Response): Promise<Json> {
    const type = response.headers.get('content-type') ?? '';
    if (type.startsWith('text/event-stream')) {
      await response.body?.cancel();
      return '';
    }
    if (/json$|json;/.test(type) && !type.includes('jsonl')) return response.json();
    return response.text();
  }

  #checkAnswer(told: string, method: string, { responses }: Json, response: Response, answer: Json): void {
    const { status, headers } = response;
    const documented = resolve(this.#document, responses[status]);
    assert.ok(documented !== undefined, `not documented: ${told}`);
    assert.ok(headers.get('x-request-id'), `no request id: ${told}`);
    if (status === 304) return;
    const type = (headers.get('content-type') ?? '').split(';')[0] ?? '';
    const content = documented.content?.[type];
    assert.ok(content !== undefined, `${type} is not documented: ${told}`);
    const isJson = type.endsWith('json');
    assert.deepEqual(isJson ? this.#checker.faultsOf(content.schema, answer) : [], [], told);
    if (status >= 400) assert.ok(documented.description.includes(`\`${answer.code}\``), `its code: ${told}`);
    else if (method === 'GET' && isJson) assert.ok(headers.get('etag'), `no ETag: ${told}`);
  }
}

/** A parameter's text as the type that its schema has. */
function toTyped(schema: Json, text: string): unknown {
  if (schema.type === 'integer' || schema.type === 'number') return Number(text);
  return schema.type === 'boolean' ? text === 'true' : text;
}
