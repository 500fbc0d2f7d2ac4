/** docs/metrics.md against the table that the metrics are made of. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse } from 'yaml';
import { METRICS, type MetricRow } from '../src/api/metrics/metric-table.ts';
import { NACK_REASONS } from '../src/model/meter.ts';
import { PLUGIN_STATES } from '../src/model/plugin-state.ts';
import { ROLLOUT_PHASES } from '../src/model/rollout.ts';

const text = readFileSync(new URL('../docs/metrics.md', import.meta.url), 'utf8');
const rows: readonly MetricRow[] = Object.values(METRICS);

/** The rows of a table, its head apart; the formatter aligns tables. */
function readTable(head: string): string[] {
  const lines = text.split('\n').map(line => line.replace(/ +\|/g, ' |'));
  const from = lines.indexOf(head) + 2;
  assert.ok(from > 1, head);
  return lines.slice(from, lines.indexOf('', from));
}

test('the table is the metrics, in their order and their words', () => {
  assert.deepEqual(
    readTable('| metric | type | labels | what it tells |'),
    rows.map(({ name, type, labels, help }) => {
      const words = Object.keys(labels).map(label => `\`${label}\``);
      return `| \`${name}\` | ${type} | ${words.join(', ') || 'none'} | ${help} |`;
    }),
  );
});

test('every label is there with what bounds it', () => {
  assert.deepEqual(
    readTable('| metric | label | what bounds it |'),
    rows.flatMap(({ name, labels }) =>
      Object.entries(labels).map(([label, bound]) => `| \`${name}\` | \`${label}\` | ${bound} |`),
    ),
  );
});

test('every reason of a NACK is told', () => {
  for (const reason of NACK_REASONS) assert.ok(text.includes(`\`${reason}\`:`), reason);
});

test('the alerts are YAML and ask for metrics, labels and words that there are', () => {
  const yaml = /## Alerts\n\n```yaml\n([^`]*)```/.exec(text)?.[1] ?? '';
  const { groups } = parse(yaml) as { groups: { rules: { alert: string; expr: string }[] }[] };
  const rules = groups.flatMap(group => group.rules);
  assert.ok(rules.length > 10);
  const words = new Set<string>([...PLUGIN_STATES, ...ROLLOUT_PHASES, ...NACK_REASONS, 'ok', 'cancelled']);
  for (const { alert, expr } of rules) {
    for (const [, name = ''] of expr.matchAll(/\b((?:attache|process|nodejs)_\w+)/g)) {
      const row = rows.find(one => one.name === name.replace(/_bucket$/, ''));
      assert.ok(row !== undefined, `${alert}: ${name}`);
      assert.equal(name.endsWith('_bucket'), row.type === 'histogram', `${alert}: ${name}`);
    }
    for (const [, name = '', inside = ''] of expr.matchAll(/(attache_\w+)\{([^}]*)\}/g)) {
      const [, label = '', values = ''] = /^(\w+)(?:=~|!~|=)"([^"]*)"$/.exec(inside) ?? [];
      const row = rows.find(one => one.name === name);
      assert.ok(label in (row?.labels ?? {}), `${alert}: ${inside}`);
      for (const value of values.split('|')) assert.ok(words.has(value), `${alert}: ${value}`);
    }
  }
});
