import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CommandContext } from '../../../src/cli/command-context.ts';
import { showRollout } from '../../../src/cli/rollout/show-rollout.ts';
import type { Moment } from '../../../src/cli/rollout/watch-rollout.ts';
import { bakingView, refusedView, succeededView } from '../rollout-views.ts';

async function* tell(moments: readonly Moment[]): AsyncGenerator<Moment> {
  yield* moments;
}

async function show(
  moments: readonly Moment[],
  terminal = false,
): Promise<{ readonly code: number; readonly out: string }> {
  let out = '';
  const write = (text: string) => {
    out += text;
  };
  const screen = { columns: 200, rows: 50, hasColour: false, write };
  const context = {
    out: (text: string) => write(`${text}\n`),
    ...(terminal ? { screen } : {}),
  } as unknown as CommandContext;
  const { code } = await showRollout(tell(moments), 'http://a:1', context);
  return { code, out };
}

const view = (one = bakingView()): Moment => ({ kind: 'view', view: one });

test('without a terminal: a line per change with the time, then the end', async () => {
  const { code, out } = await show([
    view(),
    view(),
    { kind: 'lost' },
    { kind: 'connected' },
    view(succeededView()),
  ]);
  assert.equal(code, 0);
  const clock = '\\d\\d:\\d\\d:\\d\\d';
  assert.match(
    out,
    new RegExp(
      `^${clock} auth {2}– → revision 1 {3}Baking .*\n${clock} step 1 .*\n${clock} gate 5xx .*\n` +
        `${clock} lost http://a:1, trying again\n${clock} connected again\n${clock} Succeeded\n` +
        'Succeeded in 1m 2s: 1 of 1 node runs revision 1\n$',
    ),
  );
});

test('on a terminal the tree is drawn over itself; a lost server leaves it standing', async () => {
  const { code, out } = await show(
    [view(), view(), { kind: 'lost' }, { kind: 'connected' }, view(refusedView())],
    true,
  );
  assert.equal(code, 4);
  assert.equal(out.split('\x1b[5F').length, 2, 'drawn over once');
  assert.ok(out.includes('connected again\n\x1b[Jedge/auth'), 'drawn below what was said');
  assert.match(out, /next: fix and apply\n {6}attache rollout retry edge\/auth {3}to try it again\n$/);
});

test('the time to wait ends with exit 6, whatever the phase', async () => {
  const { code, out } = await show([view(), { kind: 'timeout' }]);
  assert.equal(code, 6);
  assert.match(out, /the time to wait is over; the rollout goes on\n$/);
});

test('a rollout that took over begins with its own first line', async () => {
  const next = bakingView({
    id: 'default.auth.2',
    title: '1 → 2',
    notes: ['it took over from default.auth.1'],
  });
  const { out } = await show([view(), view(next)]);
  assert.match(
    out,
    /\n\d\d:\d\d:\d\d auth {2}1 → 2 {3}Baking .*\n\d\d:\d\d:\d\d it took over from default\.auth\.1\n/,
  );
});
