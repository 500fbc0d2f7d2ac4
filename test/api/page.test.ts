import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BY_KEY, BY_KEY_FALLING, matchesText, takePage } from '../../src/api/page.ts';
import { FakeClock } from '../store/fake-clock.ts';

const records = ['b', 'd', 'a', 'e', 'c'].map(key => ({ key }));
const path = '/v1/things';

function take(query: { limit?: number; cursor?: string }, of: object = {}) {
  const {
    all = records,
    order = BY_KEY,
    clock = new FakeClock(),
    filter = '',
  } = of as {
    all?: typeof records;
    order?: typeof BY_KEY;
    clock?: FakeClock;
    filter?: string;
  };
  const headers: Record<string, string> = {};
  const reply = {
    header: (name: string, value: string) => {
      headers[name] = value;
      return reply as never;
    },
  };
  const url = `${path}?${filter}${query.cursor === undefined ? '' : `&cursor=${query.cursor}`}`;
  const page = takePage({ url, query }, reply, clock, all, order);
  return { keys: page.items.map(({ key }) => key).join(''), next: page.next, link: headers.link };
}

test('pages follow one another in the order of the keys, either way, until none is left', () => {
  const first = take({ limit: 2 });
  assert.equal(first.keys, 'ab');
  const second = take({ limit: 2, cursor: first.next ?? '' });
  assert.equal(second.keys, 'cd');
  const third = take({ limit: 2, cursor: second.next ?? '' });
  assert.deepEqual([third.keys, third.next, third.link], ['e', null, undefined]);
  const falling = take({ limit: 4 }, { order: BY_KEY_FALLING });
  assert.equal(falling.keys, 'edcb');
  assert.equal(take({ cursor: falling.next ?? '' }, { order: BY_KEY_FALLING }).keys, 'a');
  assert.equal(take({ limit: 5 }).next, null);
});

test('what comes and goes between two pages moves nothing else', () => {
  const { next } = take({ limit: 2 });
  const all = ['0', 'a', 'c', 'cc', 'd'].map(key => ({ key }));
  assert.equal(take({ limit: 2, cursor: next ?? '' }, { all }).keys, 'ccc');
});

test('the link has the filters and the cursor', () => {
  const { next, link } = take({ limit: 2 }, { filter: 'q=x&limit=2' });
  assert.equal(link, `<${path}?q=x&limit=2&cursor=${next}>; rel="next"`);
});

test('a cursor is of one list with its filters; another limit may come with it', () => {
  const { next } = take({ limit: 2 }, { filter: 'q=x' });
  assert.equal(take({ limit: 9, cursor: next ?? '' }, { filter: 'limit=9&q=x' }).keys, 'cde');
  assert.throws(() => take({ cursor: next ?? '' }, { filter: 'q=y' }), { code: 'bad-query' });
  for (const cursor of ['x', 'e30', Buffer.from('[1,2,3]').toString('base64url')])
    assert.throws(() => take({ cursor }), { code: 'bad-query' }, cursor);
});

test('a cursor is good for an hour', () => {
  const clock = new FakeClock();
  const { next } = take({ limit: 2 }, { clock });
  clock.advance(3_600_000);
  assert.equal(take({ cursor: next ?? '' }, { clock }).keys, 'cde');
  clock.advance(1);
  assert.throws(() => take({ cursor: next ?? '' }, { clock }), { code: 'cursor-expired' });
});

test('text is looked for in any case, and no text is in everything', () => {
  assert.equal(matchesText('AUTH', ['default/my-auth']), true);
  assert.equal(matchesText('x', ['default/my-auth']), false);
  assert.equal(matchesText(undefined, []), true);
});
