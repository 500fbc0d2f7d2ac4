import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fillTemplate } from '../../../src/model/snapshot.ts';
import {
  chooseTags,
  fetchTimeoutMs,
  findNamedPlugin,
  NO_TAGS,
  parseVersion,
  partsIn,
  type TagHistory,
  toTags,
  toVersion,
} from '../../../src/xds/push/attempt.ts';
import { refusalOf, toContent } from './slot-story.ts';

const tag = (n: number): string => n.toString(16).padStart(16, '0');

function tagsOf(content: string, history: Partial<TagHistory>): readonly string[] {
  let next = 100;
  const nothing: TagHistory = { accepted: NO_TAGS, tried: [], clean: true, renew: new Set() };
  return chooseTags(toContent(content), { ...nothing, ...history }, () => tag(next++));
}

const ACCEPTED = toTags(toContent('a@1 b@1'), [tag(1), tag(2)]);
const TRIED = ACCEPTED.parts;

test('4. tags: kept where nothing changed, fresh where something did', () => {
  const table: readonly [string, string, Partial<TagHistory>, readonly string[]][] = [
    ['nothing accepted yet', 'a@1 b@1', {}, [tag(100), tag(101)]],
    ['all accepted', 'a@1 b@1', { accepted: ACCEPTED }, [tag(1), tag(2)]],
    ['another order', 'b@1 a@1', { accepted: ACCEPTED }, [tag(2), tag(1)]],
    ['a new revision', 'a@1 b@2', { accepted: ACCEPTED }, [tag(1), tag(100)]],
    ['one to renew', 'a@1 b@1', { accepted: ACCEPTED, renew: new Set(['default/b']) }, [tag(1), tag(100)]],
    [
      'back to the last accepted: what was not in the refused content is fresh',
      'a@1 b@1',
      { accepted: ACCEPTED, clean: false, tried: partsIn(toContent('a@1 b@2')) },
      [tag(1), tag(100)],
    ],
    [
      'the same once more after a push that was not ACKed: all fresh',
      'a@1 b@1',
      { accepted: ACCEPTED, clean: false, tried: TRIED },
      [tag(100), tag(101)],
    ],
    [
      'the same once more with a plugin named: that one',
      'a@1 b@1',
      { accepted: ACCEPTED, clean: false, tried: TRIED, renew: new Set(['default/a']) },
      [tag(100), tag(2)],
    ],
    ['a pass-through has none', '', { accepted: ACCEPTED, clean: false, tried: TRIED }, []],
  ];
  for (const [name, content, history, expected] of table)
    assert.deepEqual(tagsOf(content, history), expected, name);
});

test('4. after a push that was not ACKed there is always a fresh tag, whatever came before', () => {
  const names = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1 });
  const parts = fc.tuple(names, fc.array(fc.integer({ min: 1, max: 2 }), { minLength: 4, maxLength: 4 }));
  const chain = parts.map(([chosen, revisions]) =>
    chosen.map((name, i) => `${name}@${revisions[i]}`).join(' '),
  );
  fc.assert(
    fc.property(
      chain,
      chain,
      chain,
      fc.subarray(['default/a', 'default/b']),
      (next, accepted, tried, renew) => {
        const tags = tagsOf(next, {
          accepted: toTags(
            toContent(accepted),
            accepted.split(' ').map((_, i) => tag(i)),
          ),
          tried: partsIn(toContent(tried)),
          clean: false,
          renew: new Set(renew),
        });
        assert.ok(tags.some(it => it >= tag(100)));
        assert.equal(new Set(tags).size, tags.length);
      },
    ),
  );
});

test('4. a push where only a tag differs changes no other byte, and no length', () => {
  const { verdict } = toContent('a@1 b@1');
  const capabilities = ['c'.repeat(64), 'd'.repeat(64)];
  const one = fillTemplate(verdict, capabilities, [tag(1), tag(2)]);
  const other = fillTemplate(verdict, capabilities, [tag(1), tag(3)]);
  assert.equal(one.length, other.length);
  assert.equal(one.filter((byte, i) => byte !== other[i]).length, 1);
});

test('tags are found again by plugin and revision', () => {
  const accepted = toTags(toContent('a@1 b@2'), [tag(1), tag(2)]);
  assert.deepEqual(tagsOf('b@2 a@2', { accepted }), [tag(2), tag(100)]);
});

test('all processes that have a content share the list of what is in it', () => {
  const content = toContent('a@1 b@2');
  assert.deepEqual(partsIn(content), [
    { plugin: 'default/a', revision: 1 },
    { plugin: 'default/b', revision: 2 },
  ]);
  assert.equal(partsIn(content), partsIn(content));
});

test('5. a version says content and form, and is read back', () => {
  assert.equal(toVersion('abc', 'warming'), 'abc.w');
  assert.equal(toVersion('abc', 'verdict'), 'abc.v');
  for (const variant of ['warming', 'verdict'] as const)
    assert.deepEqual(parseVersion(toVersion('a.b', variant)), { contentHash: 'a.b', variant });
});

test('5. a version that is not ours is none', () => {
  for (const version of ['', '.v', 'abc', 'abc.', 'abc.vw', 'abc.x', '1732'])
    assert.equal(parseVersion(version), undefined, version);
});

test('9. the remote timeout is 10 s and the size of the largest module at 1 MB/s', () => {
  const { plugins, ...rest } = toContent('a@1 b@1');
  const sized = (...sizes: number[]) => ({
    ...rest,
    plugins: plugins.map((plugin, i) => ({ ...plugin, moduleSizeBytes: sizes[i] ?? 0 })),
  });
  assert.equal(fetchTimeoutMs(toContent('')), 10_000);
  assert.equal(fetchTimeoutMs(sized(18_500_000, 1)), 28_500);
  assert.equal(fetchTimeoutMs(sized(1, 1)), 10_001);
});

test('3. the plugin that Envoy names is found, also inside a longer text; another name is nobody of ours', () => {
  const content = toContent('a@1 b@2');
  const table: readonly [string, string | undefined][] = [
    [refusalOf('b'), 'default/b'],
    [`Error adding/updating listener(s) x: ${refusalOf('a')}\n`, 'default/a'],
    [refusalOf('c'), undefined],
    [refusalOf('bb'), undefined],
    ['no factory found', undefined],
    ['', undefined],
  ];
  for (const [text, expected] of table) assert.equal(findNamedPlugin(content, text)?.plugin, expected, text);
});
