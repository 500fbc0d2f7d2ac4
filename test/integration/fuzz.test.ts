/** Twenty thousand odd inputs to every route and every parser of documents; `npm run fuzz` sends more. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { operationsOf } from '../contract/openapi-document.ts';
import { readCorpus } from '../fuzz/corpus.ts';
import { fuzzApi } from '../fuzz/fuzz-api.ts';
import { fuzzParsers } from '../fuzz/fuzz-parsers.ts';
import { startFuzzScene } from '../fuzz/scene.ts';

const DOCUMENTS = 14_000;
const REQUESTS = 6_500;
const SEED = 20_261_121;

test('no parser of documents falls over: it answers, or throws an error with a code', () => {
  const corpus = readCorpus();
  assert.ok(corpus.length > 50);
  assert.deepEqual(fuzzParsers(corpus, SEED, DOCUMENTS), []);
});

test('no request makes a 5xx, or an answer that the OpenAPI document does not announce', async t => {
  const scene = await startFuzzScene();
  t.after(() => scene.stop());
  const { falls, statuses, reached } = await fuzzApi(scene, SEED, REQUESTS);
  assert.deepEqual(falls, []);
  assert.deepEqual(scene.failures, []);
  // It means something only where it comes past the door, and is refused there: everywhere.
  assert.ok((statuses[200] ?? 0) > 1_000, JSON.stringify(statuses));
  const unreached = operationsOf(scene.document).filter(({ key }) => !reached.has(`${key} bad`));
  assert.deepEqual(
    unreached.map(({ key }) => key),
    [],
  );
  assert.equal((await fetch(`${scene.url}/readyz`)).status, 200);
});
