/** What is wrong with a document is told, and bounded: the port that takes it answers Envoys from the same thread. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseJsonBody } from '../../src/api/json-body.ts';
import { readPlanRequest } from '../../src/api/plan-request.ts';
import { ProtoRegistry } from '../../src/compile/proto-registry.ts';
import { AttacheError, MOST_FAULTS } from '../../src/model/error.ts';
import { parsePluginDocument } from '../../src/model/plugin-document.ts';
import { CLUSTER_TYPE } from '../../src/model/type-url.ts';
import { thrownBy } from '../harness/thrown-by.ts';

/** `{x0: 0, x1: 0, …}` */
function makeUnknown(count: number): Record<string, number> {
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [`x${i}`, 0]));
}

function makePlugin(spec: object) {
  return { apiVersion: 'attache/v1', kind: 'Plugin', metadata: { name: 'a' }, spec: { url: 'r/a', ...spec } };
}

test('of a document with more faults than anybody reads the first ones are told', () => {
  const few = parsePluginDocument(makePlugin(makeUnknown(MOST_FAULTS - 1)));
  assert.equal(Array.isArray(few) && few.length, MOST_FAULTS - 1);
  const many = parsePluginDocument(makePlugin(makeUnknown(5_000)));
  assert.equal(Array.isArray(many) && many.length, MOST_FAULTS);
});

test('of many documents at once as well, and the text says that there are more', () => {
  const documents = Array.from({ length: 400 }, () => makePlugin(makeUnknown(500)));
  const { faults, message } = thrownBy(AttacheError, () => readPlanRequest({ documents }));
  assert.equal(faults.length, MOST_FAULTS);
  assert.match(message, /, and at least 499 more$/);
  // More than a call takes as arguments.
  const wide = thrownBy(AttacheError, () => readPlanRequest(makePlugin(makeUnknown(300_000))));
  assert.equal(wide.faults.length, MOST_FAULTS);
});

test('of an Envoy resource as well', () => {
  const cluster = { '@type': CLUSTER_TYPE, name: 'a', ...makeUnknown(5_000) };
  const { faults, message } = thrownBy(AttacheError, () => new ProtoRegistry().encodeAny(cluster));
  assert.equal(faults.length, MOST_FAULTS);
  assert.match(message, /at least 499 more/);
});

test('a body that is nested deeper than anything has a use for is no JSON for us', () => {
  const nest = (levels: number) => `${'{"a":['.repeat(levels / 2)}1${']}'.repeat(levels / 2)}`;
  assert.ok(parseJsonBody(nest(200)));
  for (const levels of [202, 2_000, 200_000]) {
    const { code, message } = thrownBy(AttacheError, () => parseJsonBody(nest(levels)));
    assert.equal(code, 'bad-json');
    assert.match(message, /nested more than 200 levels deep/);
  }
});

test('a number that would be stored as another one is refused, and told as it was written', () => {
  const exact =
    '{"most":9007199254740991,"least":-9007199254740991,"text":"12345678901234567890","part":1.5e-7}';
  assert.equal(JSON.stringify(parseJsonBody(exact)), exact);
  for (const number of ['12345678901234567890', '-9007199254740993', '1e400']) {
    const { code, message } = thrownBy(AttacheError, () => parseJsonBody(`{"a":{"limit":${number}}}`));
    assert.equal(code, 'bad-json');
    assert.ok(
      message.includes(`${number} of "limit" is more than a number can hold: write it as a string`),
      message,
    );
  }
});
