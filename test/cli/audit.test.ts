import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { formatAuditEntry } from '../../src/cli/audit-line.ts';
import { type AuditEntry, hashEntry, NO_ENTRY_HASH } from '../../src/model/audit.ts';
import { at, NOW } from './rollout-views.ts';
import { folder, run, withServer } from './run-main.ts';

const HASH = 'ab'.repeat(32);

test('an entry is a line by the reader’s clock: who, what, and why', () => {
  const line = (over: Partial<AuditEntry>) => formatAuditEntry({ ...ENTRIES[0]!, ...over }, NOW);
  assert.equal(
    line({ text: 'edge/auth: apply by ci-edge: held back', action: 'plugin.held-back', reason: 'again' }),
    '02:59:07  ci-edge       plugin.held-back        edge/auth: apply by ci-edge: held back: again',
  );
  assert.equal(
    line({
      result: 'denied',
      code: 'frozen',
      action: 'PUT /v1/plugins/:namespace/:name',
      text: 'frozen by admin',
    }),
    '02:59:07  ci-edge       denied frozen           PUT /v1/plugins/:namespace/:name edge/auth: frozen by admin',
  );
  assert.equal(
    line({
      actor: 'attache',
      behalf: 'ci-edge',
      action: 'rollout.rolled-back',
      text: 'edge/auth: 7 → 8\n RolledBack',
    }),
    '02:59:07  attache       rollout.rolled-back     edge/auth: 7 → 8 RolledBack (asked for by ci-edge)',
  );
});

test('audit tells the last entries, oldest first; with --since all pages', async () => {
  const [first, second] = ENTRIES;
  const answers = {
    'GET /v1/audit?subject=edge%2Fauth&limit=100': list([second, first], 'more'),
    'GET /v1/audit?since=2h&limit=500': list([second], 'next'),
    'GET /v1/audit?since=2h&limit=500&cursor=next': list([first], null),
  };
  await withServer(answers, async server => {
    for (const args of [
      ['--subject', 'edge/auth'],
      ['--since', '2h'],
    ]) {
      const { code, out, err } = await run(['audit', ...args, '--server', server]);
      assert.equal(code, 0, err);
      assert.match(out, /plugin\.created .*\n.*plugin\.configured .*\n$/);
    }
  });
});

test('audit --verify says that it is intact and what to keep, or names the first broken entry and fails', async () => {
  const head = { number: 2, hash: HASH };
  const verification = { kind: 'AuditVerification', intact: true, head, broken: null };
  const broken = { number: 2, fault: 'changed', text: 'entry 2 was changed' };
  const answers = {
    'GET /v1/audit/verification': verification,
    [`GET /v1/audit/verification?known=${encodeURIComponent(`2:${HASH}`)}`]: {
      ...verification,
      intact: false,
      broken,
    },
  };
  await withServer(answers, async server => {
    const intact = await run(['audit', '--verify', '--server', server]);
    assert.equal(intact.code, 0, intact.err);
    assert.ok(intact.out.includes(`--known 2:${HASH}`), intact.out);
    const failed = await run(['audit', '--verify', '--known', `2:${HASH}`, '--server', server]);
    assert.equal(failed.code, 1);
    assert.match(failed.err, /from entry 2 on: entry 2 was changed/);
  });
  assert.equal((await run(['audit', '--known', `2:${HASH}`])).code, 2);
});

test('audit --verify FILE follows what was exported, from wherever it begins', async () => {
  const lines = ENTRIES.map(entry => JSON.stringify(entry));
  const verify = (name: string, text: string) => run(['audit', '--verify', writeFile(name, text)]);
  const whole = await verify('whole.jsonl', `${lines.join('\n')}\n`);
  assert.match(whole.out, new RegExp(`^intact: entries 1 to 2, .*${ENTRIES[1]?.hash}`));
  const part = await verify('part.jsonl', lines[1] ?? '');
  assert.match(part.out, /entries 2 to 2[\s\S]*before 2 the file tells nothing/);
  const changed = await verify('changed.jsonl', lines.join('\n').replace('plugin.created', 'plugin.deleted'));
  assert.deepEqual([changed.code, /entry 1 was changed/.test(changed.err)], [1, true], changed.err);
  for (const [name, text] of [
    ['empty.jsonl', ''],
    ['other.jsonl', '{"kind":"Event"}'],
    ['no.jsonl', 'no json'],
  ] as const) {
    const { code, err } = await verify(name, text);
    assert.deepEqual([code, /there is no entry|:1: not an entry/.test(err)], [1, true], err);
  }
  assert.match((await run(['audit', '--verify', '/no/such/file'])).err, /no such file/);
});

const ENTRIES: readonly AuditEntry[] = makeEntries(['plugin.created', 'plugin.configured']);

function writeFile(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

function makeEntries(actions: readonly string[]): AuditEntry[] {
  let previous = NO_ENTRY_HASH;
  return actions.map((action, i) => {
    const entry: Omit<AuditEntry, 'hash'> = {
      kind: 'AuditEntry',
      number: i + 1,
      time: at('02:59:07'),
      actor: 'ci-edge',
      action,
      subject: 'edge/auth',
      result: 'done',
      text: `edge/auth ${action}`,
      revision: i + 1,
      changes: [],
      previous,
    };
    previous = hashEntry(entry);
    return { ...entry, hash: previous };
  });
}

function list(items: readonly unknown[], next: string | null) {
  return { kind: 'AuditList', items, next };
}
