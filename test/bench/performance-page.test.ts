import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { toClientsReport } from '../../bench/clients/clients-report.ts';
import { toBreakdown } from '../../bench/effect/breakdown.ts';
import type { Machine } from '../../bench/machine.ts';
import { PARTS, type Results, writeTables } from '../../bench/performance-page.ts';
import { toServeReport } from '../../bench/serve/serve-report.ts';

const MACHINE: Machine = {
  ...{ cores: 2, cpu: 'some CPU', memoryGiB: 4, kernel: '6.1', node: 'v26.0.0' },
  ...{ go: 'go1.26', commit: 'abc', at: '2026-01-02T03:04:05Z' },
};
const toClientsRun = (p99Ms: number) => ({ p99Ms, lastMs: p99Ms, rssMiB: 100, lost: 0 });
const CLIENTS = toClientsReport(
  {
    alone: [toClientsRun(100)],
    silent: [toClientsRun(119)],
    refusing: [toClientsRun(121)],
    returning: [toClientsRun(300)],
  },
  { machine: MACHINE, streams: 1_000, form: 'delta' },
);

test('tables are put between their marks, and the words around them stay', () => {
  const page = 'before\n<!-- bench clients -->\nold\n<!-- /bench clients -->\nafter\n';
  const written = writeTables(page, { clients: CLIENTS });
  assert.match(written, /^before\n<!-- bench clients -->\n\n2 cores of some CPU/);
  assert.match(written, /<!-- \/bench clients -->\nafter\n$/);
  assert.doesNotMatch(written, /old/);
  assert.equal(writeTables(written, { clients: CLIENTS }), written);
  assert.equal(writeTables(page, {}), page);
});

test('a page without a place for what was measured is an error', () => {
  assert.throws(() => writeTables('nothing here', { clients: CLIENTS } satisfies Results), /bench clients/);
});

test('docs/performance.md has a place for every part', () => {
  const page = readFileSync(new URL('../../docs/performance.md', import.meta.url), 'utf8');
  for (const name of Object.keys(PARTS)) assert.ok(page.includes(`<!-- bench ${name} -->`), name);
});

test('bad clients may move the p99 of the others by a fifth', () => {
  const lines = PARTS.clients.format(CLIENTS).split('\n');
  const verdicts = lines.flatMap(line => /(met|missed) *\|$/.exec(line)?.[1] ?? []);
  assert.deepEqual(verdicts, ['met', 'missed', 'missed']);
});

test('half of the throughput of nginx is enough', () => {
  const run = (MiBPerS: number) => [{ MiBPerS, cpuMs: 10, moreMiB: 1, failed: 0 }];
  const of = { machine: MACHINE, clients: 500, moduleMiB: 1 };
  const text = (ours: number) =>
    PARTS.modules.format(toServeReport({ attache: run(ours), nginx: run(100) }, of));
  assert.match(text(50), /at least 0\.5: met/);
  assert.match(text(49), /at least 0\.5: missed/);
});

test('the time of the slowest Envoy is told apart in ours and its own, and nothing is left over', () => {
  const fast = { pushedMs: 50, downloadedMs: 60, lastPushMs: 65, effectMs: 80 };
  const slow = { pushedMs: 60, downloadedMs: 160, lastPushMs: 165, effectMs: 420 };
  const { ratio, ...parts } = toBreakdown({ answeredMs: 10, revisionMs: 45, envoys: [fast, slow] });
  assert.deepEqual(parts, {
    ...{ api: 10, module: 35, push: 15, download: 100, again: 5, load: 255 },
    ...{ total: 420, ours: 65, envoys: 355 },
  });
  assert.equal(ratio, 65 / 355);
});

test('an apply that is answered after the push has cost the API no more than until the push', () => {
  const envoy = { pushedMs: 20, downloadedMs: undefined, lastPushMs: 20, effectMs: 30 };
  const { api, module, push, download, load } = toBreakdown({
    answeredMs: 40,
    revisionMs: 15,
    envoys: [envoy],
  });
  assert.deepEqual([api, module, push, download, load], [20, 0, 0, 0, 10]);
});
