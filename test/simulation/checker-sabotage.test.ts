import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Assignment, Moved } from '../../src/model/assignment.ts';
import type { Change } from '../../src/store/store.ts';
import type { Distort } from './mortal-store.ts';
import { runStory } from './run-story.ts';

/*
 * The compiler is lied to about who runs what, as a wrong rollout stage would do it. The checker sees the wire only,
 * and must notice.
 */

/** Lies about Assignments as `lie` says; `before` is what the compiler was told of the plugin last, truthfully. */
function lying(lie: (now: Assignment, before: Assignment | undefined) => Assignment): () => Distort {
  return () => {
    const told = new Map<string, Assignment>();
    return changes =>
      changes.map((change): Change => {
        if (change.kind !== 'Assignment' || change.stored === undefined) return change;
        const { value } = change.stored;
        const before = told.get(change.key);
        told.set(change.key, value);
        return { ...change, stored: { ...change.stored, value: lie(value, before) } };
      });
  };
}

function withLast(assignment: Assignment, change: (entry: Moved) => Moved): Assignment {
  const last = assignment.moved.at(-1);
  return last === undefined
    ? assignment
    : { ...assignment, moved: [...assignment.moved.slice(0, -1), change(last)] };
}

/** It went back: nothing is moved any more, and what was proven is the same. */
function wentBack(now: Assignment, before: Assignment | undefined): before is Assignment {
  return (
    before !== undefined &&
    before.moved.length > 0 &&
    now.moved.length === 0 &&
    now.base.revision === before.base.revision
  );
}

const ALL = Array.from({ length: 30 }, (_, i) => `n${String(i + 1).padStart(2, '0')}`);

const SABOTAGES: readonly {
  readonly name: string;
  readonly rules: RegExp;
  readonly distort: () => Distort;
}[] = [
  {
    name: 'one more node than the step has',
    rules: / step:/,
    distort: lying(now =>
      withLast(now, entry => {
        if (entry.nodes === 'everyone') return entry;
        const more = ALL.filter(id => !entry.nodes.includes(id)).slice(0, 1);
        return { ...entry, nodes: [...entry.nodes, ...more] };
      }),
    ),
  },
  {
    name: 'every step is for everybody',
    rules: / step:/,
    distort: lying(now => withLast(now, entry => ({ ...entry, nodes: 'everyone' }))),
  },
  {
    name: 'nodes do not go back',
    rules: / (not-back|wrong-end|pushed-after-failure):/,
    distort: lying((now, before) => (wentBack(now, before) ? { ...now, moved: before.moved } : now)),
  },
  {
    name: 'what failed goes to everybody',
    rules: / moved-after-failure:/,
    distort: lying((now, before) =>
      wentBack(now, before)
        ? withLast({ ...now, moved: before.moved }, entry => ({ ...entry, nodes: 'everyone' }))
        : now,
    ),
  },
  {
    name: 'moved nodes are taken back for no reason',
    rules: / back-without-cause:/,
    distort: lying((now, before) =>
      before !== undefined && now.moved.length > before.moved.length && before.moved.length > 0
        ? { ...now, moved: [] }
        : now,
    ),
  },
  {
    name: 'excluded nodes are moved as well',
    rules: / (excluded|back-without-cause|wrong-end):/,
    distort: lying(now => withLast(now, ({ except: _except, ...entry }) => entry)),
  },
  {
    name: 'another revision than the one that was applied',
    rules: / (foreign-content|quarantined|wrong-end):/,
    distort: lying(now =>
      withLast(now, entry => {
        const { revision } = entry.side;
        return revision === null || revision < 2
          ? entry
          : { ...entry, side: { ...entry.side, revision: revision - 1 } };
      }),
    ),
  },
  {
    name: 'the nodes that the selector leaves out get it too',
    rules: / (foreign-content|foreign-place|wrong-end|step):/,
    distort: lying(now => ({
      ...now,
      base: { ...now.base, placement: {} },
      moved: now.moved.map(entry => ({ ...entry, side: { ...entry.side, placement: {} } })),
    })),
  },
];

const SEEDS = Array.from({ length: 40 }, (_, i) => i + 1);

for (const { name, rules, distort } of SABOTAGES)
  test(`the checker notices: ${name}`, async () => {
    const found: string[] = [];
    for (const seed of SEEDS) {
      const { violations } = await runStory(seed, { distort: distort() });
      found.push(...violations);
      if (violations.some(violation => rules.test(violation))) return;
    }
    assert.fail(
      `nothing of ${rules} in ${SEEDS.length} stories, but ${[...new Set(found)].slice(0, 10).join('\n')}`,
    );
  });

/** Sends one plugin back whenever another one goes back, which is what a refusal must never do. */
function draggingOthersAlong(): Distort {
  const told = new Map<string, Change>();
  return changes => {
    const more: Change[] = [];
    for (const change of changes) {
      if (change.kind !== 'Assignment' || change.stored === undefined) continue;
      const before = told.get(change.key);
      const last = before?.kind === 'Assignment' ? before.stored?.value : undefined;
      if (wentBack(change.stored.value, last))
        for (const [key, other] of told) {
          if (key === change.key || other.kind !== 'Assignment' || other.stored === undefined) continue;
          const value: Assignment = { ...other.stored.value, moved: [] };
          more.push({ ...other, stored: { ...other.stored, value } });
        }
      told.set(change.key, change);
    }
    return [...changes, ...more];
  };
}

test('the checker notices: a refusal of one plugin takes another one back', async () => {
  const found: string[] = [];
  for (const seed of Array.from({ length: 80 }, (_, i) => i + 1)) {
    const { violations } = await runStory(seed, { distort: draggingOthersAlong() });
    found.push(...violations);
    if (violations.some(violation => / back-without-cause:/.test(violation))) return;
  }
  assert.fail(`not noticed: ${found.slice(0, 10).join('\n')}`);
});
