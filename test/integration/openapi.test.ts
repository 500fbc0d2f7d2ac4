/** The OpenAPI document by itself: that it is one, says of each operation what a reader needs, and is kept in docs. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, test } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import { OPERATIONS } from '../../src/api/openapi/operations.ts';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import { startApi } from '../api/api-client.ts';
import {
  type Json,
  operationsOf,
  readOpenApi,
  resolve,
  SchemaChecker,
} from '../contract/openapi-document.ts';

let document: Json;

before(async () => {
  const store = createMemoryStore();
  const api = await startApi(store);
  document = await readOpenApi(api.url);
  await api.stop();
  await store.close();
});

/** Every object of the document with its place. */
function* walk(node: Json, place = '#'): Generator<readonly [string, Json]> {
  if (typeof node !== 'object' || node === null) return;
  if (!Array.isArray(node)) yield [place, node];
  for (const [key, child] of Object.entries(node)) yield* walk(child, `${place}/${key}`);
}

test('it is a valid document of OpenAPI 3.1', async () => {
  const { valid, errors } = await new Validator().validate(structuredClone(document));
  assert.deepEqual([valid, errors], [true, undefined]);
});

test('docs/openapi.json is what the server answers; npm run openapi writes it', () => {
  const kept = JSON.parse(readFileSync(new URL('../../docs/openapi.json', import.meta.url), 'utf8'));
  assert.ok(JSON.stringify(kept) === JSON.stringify(document), 'it differs: npm run openapi');
});

test('every $ref leads somewhere, and every component is led to', () => {
  const refs = [...walk(document)].flatMap(([place, { $ref }]) =>
    typeof $ref === 'string' ? [{ place, $ref }] : [],
  );
  assert.ok(refs.length > 100);
  assert.deepEqual(
    refs.filter(({ $ref }) => resolve(document, { $ref }) === undefined),
    [],
  );
  const named = new Set(refs.map(({ $ref }) => $ref));
  const unused = Object.keys(document.components.schemas).filter(
    name => !named.has(`#/components/schemas/${name}`),
  );
  assert.deepEqual(unused, []);
});

test('every operation has an id of its own, a summary, a known tag, and says what goes wrong', () => {
  const operations = operationsOf(document);
  assert.ok(operations.length > 50);
  const tags = new Set(document.tags.map(({ name }: Json) => name));
  const lacking = operations.flatMap(({ key, operation }) => {
    const { operationId, summary, responses } = operation;
    const statuses = Object.keys(responses);
    return [
      ...(/^[a-z][A-Za-z]+$/.test(operationId ?? '')
        ? []
        : [`${key}: no row in src/api/openapi/operations.ts`]),
      ...(summary ? [] : [`${key}: no summary`]),
      ...(operation.tags?.every((tag: string) => tags.has(tag)) ? [] : [`${key}: no known tag`]),
      ...(statuses.some(status => status.startsWith('4')) ? [] : [`${key}: no 4xx`]),
      ...(statuses.some(status => status.startsWith('2')) ? [] : [`${key}: no 2xx`]),
      ...(statuses.includes('default') ? [] : [`${key}: no default`]),
    ];
  });
  assert.deepEqual(lacking, []);
  const ids = operations.map(({ operation }) => operation.operationId);
  assert.deepEqual(
    ids.filter((id, i) => ids.indexOf(id) !== i),
    [],
  );
});

test('the table of operations has no row that is no route', () => {
  const keys = operationsOf(document).map(({ key }) => key.replaceAll(/\{(\w+)\}/g, ':$1'));
  assert.deepEqual(
    Object.keys(OPERATIONS).filter(key => !keys.includes(key)),
    [],
  );
});

test('every path parameter is declared, every change has an example where it has a body, and dryRun', () => {
  const lacking = operationsOf(document).flatMap(({ key, method, path, operation }) => {
    const { parameters = [], requestBody } = operation;
    const inPath = parameters.filter((one: Json) => one.in === 'path').map((one: Json) => one.name);
    const wanted = [...path.matchAll(/\{(\w+)\}/g)].map(match => match[1]);
    const isChange = method !== 'GET' && !['/v1/plans', '/v1/convert'].includes(path);
    const content: Json[] = Object.values(requestBody?.content ?? {});
    return [
      ...(wanted.every(name => inPath.includes(name)) ? [] : [`${key}: path`]),
      ...(content.every(one => 'example' in one) ? [] : [`${key}: no example`]),
      ...(!isChange || parameters.some((one: Json) => one.name === 'dryRun') ? [] : [`${key}: no dryRun`]),
    ];
  });
  assert.deepEqual(lacking, []);
});

test('every example fits its schema', () => {
  const checker = new SchemaChecker(document);
  const faults = operationsOf(document).flatMap(({ key, operation }) =>
    Object.values<Json>(operation.requestBody?.content ?? {}).flatMap(({ schema, example }) =>
      checker.faultsOf(schema, example).map(fault => `${key}: ${fault}`),
    ),
  );
  assert.deepEqual(faults, []);
});

test('what is open to everybody says so, everything else names the role that it takes', () => {
  for (const { key, operation } of operationsOf(document)) {
    const isOpen = ['GET /healthz', 'GET /readyz'].includes(key);
    assert.deepEqual(
      [operation.security, typeof operation['x-attache-role']],
      isOpen ? [[], 'undefined'] : [undefined, 'string'],
      key,
    );
  }
});
