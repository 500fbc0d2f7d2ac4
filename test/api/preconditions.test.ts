import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createExclusive } from '../../src/api/api-context.ts';
import { checkLoopbackRequest, isLoopback } from '../../src/api/origin-check.ts';
import { checkPreconditions, isFresh, toContentTag, toETag } from '../../src/api/preconditions.ts';

function holds(
  ifMatch: string | undefined,
  ifNoneMatch: string | undefined,
  current: number | undefined,
): boolean {
  try {
    checkPreconditions({ ifMatch, ifNoneMatch }, current);
    return true;
  } catch (thrown) {
    assert.equal((thrown as { code?: string }).code, 'revision-mismatch');
    return false;
  }
}

test('without headers the last writer wins', () => {
  assert.equal(holds(undefined, undefined, 3), true);
  assert.equal(holds(undefined, undefined, undefined), true);
});

test('If-Match wants one of its tags, or anything with *', () => {
  assert.equal(holds(toETag(3), undefined, 3), true);
  assert.equal(holds('"1", "3"', undefined, 3), true);
  assert.equal(holds('*', undefined, 3), true);
  assert.equal(holds('"2"', undefined, 3), false);
  assert.equal(holds('3', undefined, 3), false);
  assert.equal(holds('W/"3"', undefined, 3), false, 'a weak tag never matches strongly');
  assert.equal(holds('*', undefined, undefined), false);
});

test('If-None-Match: * is for creating only', () => {
  assert.equal(holds(undefined, '*', undefined), true);
  assert.equal(holds(undefined, '*', 3), false);
});

test('the tag of an answer has its content behind the version; a writer is held to the version alone', () => {
  const tag = toContentTag(toETag(3), 'a');
  assert.match(tag, /^"3\.[\w-]{22}"$/);
  assert.notEqual(toContentTag(toETag(3), 'b'), tag);
  assert.equal(holds(tag, undefined, 3), true);
  assert.equal(holds(tag, undefined, 31), false);
  assert.equal(holds(tag, undefined, 4), false);
});

test('a reader has what any of its tags says, compared weakly', () => {
  const tag = toContentTag(undefined, 'a');
  for (const header of [tag, `"x", ${tag}`, `W/${tag}`, '*'])
    assert.equal(isFresh(header, tag), true, header);
  for (const header of [undefined, '', '"x"', tag.slice(1, -1)])
    assert.equal(isFresh(header, tag), false, String(header));
});

test('loopback is what reaches this machine alone', () => {
  for (const host of ['127.0.0.1', '127.8.9.1', '::1', 'localhost'])
    assert.equal(isLoopback(host), true, host);
  for (const host of ['0.0.0.0', '::', '10.0.0.1', '127.0.0.1.evil.example', 'localhost.evil.example', ''])
    assert.equal(isLoopback(host), false, host);
});

test('a request without a Host is refused', () => {
  assert.throws(() => checkLoopbackRequest({}), { code: 'foreign-host' });
});

test('a page of another site cannot even read, but a person may follow its link', () => {
  const host = '127.0.0.1:18002';
  const come = (site: string, mode: string, dest: string) => () =>
    checkLoopbackRequest({ host, 'sec-fetch-site': site, 'sec-fetch-mode': mode, 'sec-fetch-dest': dest });
  // Neither has an Origin, and each would have the server make a backup.
  assert.throws(come('cross-site', 'no-cors', 'image'), { code: 'foreign-origin' });
  assert.throws(come('same-site', 'no-cors', 'empty'), { code: 'foreign-origin' });
  assert.throws(come('cross-site', 'navigate', 'iframe'), { code: 'foreign-origin' });
  come('cross-site', 'navigate', 'document')();
  come('same-origin', 'cors', 'empty')();
  come('none', 'navigate', 'document')();
});

test('its own page is no other origin over TLS either', () => {
  const host = '127.0.0.1:18002';
  checkLoopbackRequest({ host, origin: `https://${host}` });
  assert.throws(() => checkLoopbackRequest({ host, origin: 'https://127.0.0.1:1' }), {
    code: 'foreign-origin',
  });
});

test('exclusive writes run one after the other, and a failure does not hold up the next', async () => {
  const exclusive = createExclusive();
  const order: string[] = [];
  const step =
    (name: string, fails = false) =>
    async () => {
      order.push(`${name} begins`);
      await Promise.resolve();
      order.push(`${name} ends`);
      if (fails) throw new Error(name);
    };
  const results = await Promise.allSettled([exclusive(step('a', true)), exclusive(step('b'))]);
  assert.deepEqual(order, ['a begins', 'a ends', 'b begins', 'b ends']);
  assert.deepEqual(
    results.map(result => result.status),
    ['rejected', 'fulfilled'],
  );
});
