import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseByteRange } from '../../src/module/byte-range.ts';
import { formatIndex, parseIndex } from '../../src/module/registry-index.ts';
import { addLoose, cameLately, deleteLoose, isLoose, LOOSE_MS } from '../../src/module/registry-loose.ts';
import { parsePushedManifest, toContentType } from '../../src/module/registry-manifest.ts';
import {
  deleteManifest,
  deleteTag,
  findManifest,
  type HeldManifest,
  putManifest,
  type RegistryState,
} from '../../src/module/registry-state.ts';

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const held = (n: number): HeldManifest => ({
  digest: `sha256:${String(n).repeat(64)}`,
  mediaType: MANIFEST,
  sizeBytes: 100 + n,
  pushedAt: n === 0 ? undefined : n * 1000,
});

const operation = fc.record({
  what: fc.constantFrom('put', 'put', 'untag', 'delete'),
  repository: fc.constantFrom('a', 'team/a'),
  manifest: fc.integer({ min: 0, max: 4 }),
  tag: fc.constantFrom('1', '2', 'latest', undefined),
});

function apply(state: RegistryState, { what, repository, manifest, tag }: Operation): RegistryState {
  if (what === 'put') return putManifest(state, repository, held(manifest), tag === undefined ? [] : [tag]);
  if (what === 'untag') return deleteTag(state, repository, tag ?? '1');
  return deleteManifest(state, repository, held(manifest).digest);
}
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

test('whatever was pushed and deleted: tags name what is there, and index.json says all of it', () => {
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 30 }), operations => {
      const state = operations.reduce(apply, new Map());
      for (const [repository, { manifests, tags }] of state) {
        assert.ok(manifests.size > 0);
        for (const [tag, digest] of tags)
          assert.equal(findManifest(state, repository, tag), manifests.get(digest));
      }
      const sorted = (of: RegistryState) =>
        [...of]
          .sort()
          .map(([name, { manifests, tags }]) => [
            name,
            [...manifests.values()].sort((a, b) => (a.digest < b.digest ? -1 : 1)),
            [...tags].sort(),
          ]);
      assert.deepEqual(sorted(parseIndex(formatIndex(state))), sorted(state));
    }),
  );
});

test('entries of index.json that are of no repository are not served; no file is no repository', () => {
  const foreign = { mediaType: MANIFEST, digest: held(1).digest, size: 1 };
  assert.equal(parseIndex(JSON.stringify({ manifests: [foreign] })).size, 0);
  assert.equal(parseIndex(undefined).size, 0);
});

test('blobs that no manifest names are of a repository for a week', () => {
  const before = addLoose(new Map(), 'a', ['x', 'y'], 0);
  assert.equal(isLoose(before, 'a', 'x', LOOSE_MS - 1), true);
  assert.equal(isLoose(before, 'a', 'x', LOOSE_MS), false);
  assert.equal(isLoose(before, 'b', 'x', 0), false);
  assert.equal(cameLately(before, 'a', 'x', LOOSE_MS / 2 - 1), true);
  assert.equal(cameLately(before, 'a', 'x', LOOSE_MS / 2), false);
  assert.equal(cameLately(before, 'a', 'z', 0), false);
  const again = addLoose(before, 'a', ['x'], 5);
  assert.deepEqual(
    ['x', 'y'].map(digest => isLoose(again, 'a', digest, LOOSE_MS)),
    [true, false],
    'a week from when it came last',
  );
  const after = addLoose(before, 'b', ['z'], LOOSE_MS);
  assert.deepEqual([...after.keys()], ['b'], 'what is too old leaves with the next change');
  assert.equal(deleteLoose(after, 'b', 'z').size, 0);
  assert.equal(deleteLoose(after, 'b', 'other'), after);
});

test('a manifest of any bytes is facts or the reason why not', () => {
  const json = fc.json().map(text => Buffer.from(text));
  fc.assert(
    fc.property(fc.oneof(json, fc.uint8Array()), bytes => {
      const facts = parsePushedManifest(bytes, MANIFEST);
      assert.ok(typeof facts === 'string' || facts.blobs.length > 0);
    }),
  );
});

test('facts of a manifest: its artifact type is its own, else the type of its config', () => {
  const digest = held(1).digest;
  const read = (more: object) => {
    const config = { mediaType: 'application/x', digest, size: 2 };
    const facts = parsePushedManifest(
      Buffer.from(JSON.stringify({ schemaVersion: 2, config, ...more })),
      MANIFEST,
    );
    return typeof facts === 'string' ? facts : facts.artifactType;
  };
  assert.equal(read({ layers: null }), 'application/x');
  assert.equal(read({ artifactType: 'application/y' }), 'application/y');
  assert.equal(read({ artifactType: '' }), 'application/x');
  assert.match(read({ mediaType: 'application/z' }) ?? '', /unknown manifest type/);
  assert.match(read({ subject: { digest: 'sha256:1' } }) ?? '', /subject/);
  assert.equal(toContentType('Application/JSON; charset=utf-8'), 'application/json');
  assert.equal(toContentType(undefined), MANIFEST);
});

test('a range is within the bytes, or cannot be had', () => {
  const sizes = fc.nat({ max: 20 });
  fc.assert(
    fc.property(
      sizes,
      fc.option(fc.nat({ max: 30 })),
      fc.option(fc.nat({ max: 30 })),
      (size, first, last) => {
        const range = parseByteRange(`bytes=${first ?? ''}-${last ?? ''}`, size);
        if (range === undefined) return assert.ok(first === null && last === null);
        if (range === 'unsatisfiable') return;
        assert.ok(0 <= range.from && range.from <= range.to && range.to < size);
        if (first !== null) assert.equal(range.from, first);
        else assert.equal(range.to, size - 1);
      },
    ),
  );
  for (const header of [undefined, 'bytes=-', 'bytes=1', 'lines=1-2', 'bytes=1-2, 4-5', 'bytes=a-b'])
    assert.equal(parseByteRange(header, 10), undefined);
  assert.equal(parseByteRange('bytes=-0', 10), 'unsatisfiable');
});
