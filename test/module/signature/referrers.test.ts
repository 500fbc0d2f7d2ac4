import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  MAX_REFERRERS,
  parseReferrers,
  toNextQuery,
  toReferrers,
} from '../../../src/module/signature/referrers.ts';

const digest = (i: number) => `sha256:${i.toString(16).padStart(64, '0')}`;
const encode = (value: unknown) => Buffer.from(JSON.stringify(value));

test('what is no index is none, and what is no descriptor is left out of one', () => {
  for (const value of [[], {}, { schemaVersion: 2 }, { schemaVersion: 1, manifests: [] }, null, 'x'])
    assert.equal(parseReferrers(encode(value)), undefined);
  const manifests = [
    { digest: digest(1) },
    { digest: 'sha256:1' },
    null,
    7,
    [],
    { digest: digest(2), artifactType: 3 },
  ];
  assert.deepEqual(parseReferrers(encode({ schemaVersion: 2, manifests })), [
    { digest: digest(1), artifactType: '' },
    { digest: digest(2), artifactType: '' },
  ]);
});

test('each is read once, likely ones first, and no more than the bound', () => {
  const found = Array.from({ length: MAX_REFERRERS + 5 }, (_, i) => ({
    digest: digest(i % (MAX_REFERRERS + 1)),
    artifactType: i === 900 ? 'application/vnd.dev.sigstore.bundle.v0.3+json' : 'text/plain',
  }));
  const { digests, isCut } = toReferrers(found, false);
  assert.deepEqual([digests.length, digests[0], isCut], [MAX_REFERRERS, digest(900), true]);
  assert.equal(new Set(digests).size, digests.length);
});

test('the next page is the query of a link, wherever the link leads', () => {
  assert.equal(toNextQuery('</v2/a/referrers/x?n=2&last=b>; rel="next"'), '?n=2&last=b');
  assert.equal(toNextQuery(['<http://evil.example/?t=1>; rel=next']), '?t=1');
  for (const link of [undefined, '', '</v2/a>; rel="next"', '<?a=1>; rel="prev"', '<http://[?a>; rel="next"'])
    assert.equal(toNextQuery(link), undefined);
});

test('no answer makes it throw', () => {
  const bytes = fc.oneof(
    fc.uint8Array(),
    fc.json().map(text => Buffer.from(text)),
    fc.jsonValue().map(manifests => encode({ schemaVersion: 2, manifests: [manifests] })),
  );
  fc.assert(
    fc.property(bytes, fc.string(), (one, text) => {
      const referrers = parseReferrers(one);
      assert.ok(toReferrers(referrers ?? [], false).digests.length <= 1);
      toNextQuery(`<${text}>; rel="next"`);
    }),
    { numRuns: 500 },
  );
});
