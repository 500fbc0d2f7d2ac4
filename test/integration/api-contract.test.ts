/** Every operation of the OpenAPI document, against a running server with a real Envoy, held to the document. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildPlugin } from '../../plugins/build.ts';
import { ContractClient } from '../contract/contract-client.ts';
import { EXERCISES } from '../contract/exercises.ts';
import { operationsOf, readOpenApi } from '../contract/openapi-document.ts';
import { serveMain, startAttacheScene } from '../harness/attache-scene.ts';

test('every operation does what the OpenAPI document says of it', { timeout: 170_000 }, async t => {
  const scene = await startAttacheScene(t, { attache: { flags: ['--node-log-directory', '.'] } });
  await serveMain(scene);
  const url = await scene.attache.offer(await buildPlugin('add-header'));
  const { api } = scene.attache.addresses;
  const document = await readOpenApi(api);
  const operations = new Map(operationsOf(document).map(one => [one.operation.operationId ?? one.key, one]));

  await t.test('each has an exercise, and each exercise is of one', () => {
    const exercised = new Set(EXERCISES.map(({ id }) => id));
    const missing = [...operations.keys()].filter(id => !exercised.has(id));
    const unknown = [...exercised].filter(id => !operations.has(id));
    assert.deepEqual({ missing, unknown }, { missing: [], unknown: [] });
  });

  const client = new ContractClient(api, document);
  for (const { id, make } of EXERCISES) {
    const operation = operations.get(id);
    if (operation === undefined) continue;
    // What comes next builds on it.
    let done = false;
    await t.test(`${id} (${operation.key})`, async () => {
      await client.exercise(operation, await make({ ...scene, url }));
      done = true;
    });
    if (!done) break;
  }
});
