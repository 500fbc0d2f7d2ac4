import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Machine } from '../../bench/machine.ts';
import { type Figures, toFigures } from '../../bench/xds/figures.ts';
import type { LoadReport } from '../../bench/xds/load.ts';
import { type Row, runsOf, toRows } from '../../bench/xds/plan.ts';
import { formatReport, toReport } from '../../bench/xds/report.ts';

const MACHINE: Machine = {
  ...{ cores: 2, cpu: 'some CPU', memoryGiB: 4, kernel: '6.1', node: 'v26.0.0' },
  ...{ go: undefined, commit: 'abc', at: '2026-01-02T03:04:05Z' },
};

function toRound(cpuMs: number, p99: number): LoadReport['rounds'][number] {
  return {
    latency_ms: { p50: p99 / 2, p99, max: p99 + 1 },
    ...{ got: 100, missed: 0, repeats: 4, again: 2, nacks: 10, response_bytes: 2_000 },
    ...{ misses: 100, fetched: 50, unfetched: 0 },
    ...{ server_cpu_ms: cpuMs, server_child_ms: 1, server_rss_mb: 200, client_cpu_ms: 5 },
  };
}

function play(rounds: LoadReport['rounds'], more: Partial<LoadReport> = {}): Figures {
  const connect = { initial_all_s: 2, missing: 0, server_cpu_ms: 3 };
  return toFigures({ setup: { node_bytes: 60_000 }, connect, rounds, lost: {}, ...more }, 100);
}

const findRow = (id: string): Row =>
  toRows({ sizes: undefined, form: undefined }).find(row => row.id === id)!;

test('the first push warms up and is not counted, unless it is the only one', () => {
  const { cpuUs, p99Ms, nodeKB } = play([toRound(900, 900), toRound(10, 20), toRound(30, 40)]);
  assert.deepEqual([cpuUs, p99Ms, nodeKB], [200, 30, 60]);
  assert.equal(play([toRound(10, 20)]).cpuUs, 100);
});

test('what comes after the fifth push is told apart; memory is that after the fifth', () => {
  const rounds = [100, 10, 20, 30, 40, 5, 7].map((cost, i) => ({
    ...toRound(cost, 2 * cost),
    server_rss_mb: 200 + i,
  }));
  const { cpuUs, p99Ms, laterCpuUs, laterP99Ms, rssMiB } = play(rounds);
  assert.deepEqual([cpuUs, p99Ms, laterCpuUs, laterP99Ms, rssMiB], [250, 50, 60, 12, 204]);
  assert.equal(play(rounds.slice(0, 5)).laterCpuUs, undefined);
});

test('streams that never came, ended or missed a push are lost', () => {
  const connect = { initial_all_s: 2, missing: 1, server_cpu_ms: 3 };
  const round = { ...toRound(10, 20), missed: 4 };
  assert.equal(play([round], { connect, lost: { reset: 2, closed: 3 } }).lost, 10);
});

test('everything is measured by default; a size of choice leaves the special rows out', () => {
  const ids = toRows({ sizes: undefined, form: undefined }).map(row => row.id);
  const special = ['1000/sotw/60kB-node', '1000/delta/refused', '1000/sotw/refused', '1000/delta/fetched'];
  const pushes = [1_000, 5_000, 10_000].flatMap(size => [`${size}/delta`, `${size}/sotw`]);
  assert.deepEqual(ids, [...pushes, ...special]);
  const chosen = toRows({ sizes: [300], form: 'sotw' }).map(row => row.id);
  assert.deepEqual(chosen, ['300/sotw']);
});

test('fetching is a choice of its own, and asked of Attaché alone', () => {
  const rows = toRows({ sizes: [300], form: undefined, fetch: true });
  assert.deepEqual(
    rows.map(row => row.id),
    ['300/delta/fetched', '300/sotw/fetched'],
  );
  assert.equal(runsOf('attache', rows[0]!, 5), 5);
  assert.equal(runsOf('go-control-plane', rows[0]!, 5), 0);
  const { misses, fetched, unfetched } = play([toRound(10, 20), toRound(10, 20)]);
  assert.deepEqual([misses, fetched, unfetched], [100, 50, 0]);
});

test('what another transport would give, or takes alone, is measured where something is asked, and less often', () => {
  for (const side of ['attache-http2', 'bare-grpc-js'] as const) {
    const runs = (id: string) => runsOf(side, findRow(id), 5);
    assert.deepEqual([runs('1000/delta'), runs('5000/delta')], [0, 2]);
    assert.equal(runsOf(side, findRow('5000/delta'), 1), 1);
  }
});

test('a side with fewer runs is compared with as many of the other, and the table says so', () => {
  const [one, two] = [play([toRound(10, 20)]), play([toRound(30, 20)])];
  const runs = { attache: [one, two], 'attache-http2': [two], 'go-control-plane': [one, one] };
  const report = toReport([{ row: findRow('5000/delta'), runs }], { machine: MACHINE });
  assert.equal(report.ratios['5000/delta/attache-http2/cpuUs']?.median, 3);
  assert.match(formatReport(report), /\n2 runs, of attache-http2 1\.\n/);
});

test('a report of before a figure was there can be written all the same', () => {
  const runs = { attache: [play([toRound(20, 26)])] };
  const report = toReport([{ row: findRow('1000/delta'), runs }], { machine: MACHINE });
  const { misses: _, ...older } = report.rows[0]!.sides.attache!;
  const text = formatReport({ ...report, rows: [{ ...report.rows[0]!, sides: { attache: older } }] });
  assert.doesNotMatch(text, /module was not there/);
  assert.match(text, /modules fetched, a push/);
});

test('ratios are ours to theirs by row and figure, and large fleets are held to the targets', () => {
  const runs = { attache: [play([toRound(20, 26)])], 'go-control-plane': [play([toRound(10, 20)])] };
  const report = toReport([{ row: findRow('5000/delta'), runs }], { machine: MACHINE });
  assert.equal(report.ratios['5000/delta/cpuUs']?.median, 2);
  assert.equal(report.ratios['5000/delta/p99Ms']?.median, 1.3);
  const lines = formatReport(report).split('\n');
  const verdictOf = (figure: string) =>
    lines
      .find(line => line.includes('5000 streams') && line.includes(figure))
      ?.split('|')[6]
      ?.trim();
  assert.equal(verdictOf('server CPU'), 'missed');
  assert.equal(verdictOf('p99'), 'met');
  assert.equal(verdictOf('memory'), 'met');
});

test('what another transport would give stands beside it, under a name of its own', () => {
  const [ours, own, theirs] = [30, 5, 10].map(cpuMs => [play([toRound(cpuMs, 20)])]);
  const runs = { attache: ours!, 'attache-http2': own!, 'go-control-plane': theirs! };
  const report = toReport([{ row: findRow('5000/sotw'), runs }], { machine: MACHINE });
  assert.equal(report.ratios['5000/sotw/cpuUs']?.median, 3);
  assert.equal(report.ratios['5000/sotw/attache-http2/cpuUs']?.median, 0.5);
  assert.match(
    formatReport(report),
    /server CPU per stream and push, µs +\| 1 +\| 0\.7 +\| 3\.00 +\| missed +\| 0\.50/,
  );
});

test('Attaché alone has figures, no ratios, and the reason', () => {
  const row = findRow('1000/delta/refused');
  const runs = { attache: [play([toRound(20, 26)])] };
  const report = toReport([{ row, runs }], { machine: MACHINE, alone: 'there is no Go' });
  assert.deepEqual(report.ratios, {});
  assert.match(formatReport(report), /there is no Go/);
  assert.match(formatReport(report), /refusals answered with the same content, a push +\| 2\.00/);
});
