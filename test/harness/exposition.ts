/** A strict reader of https://prometheus.io/docs/instrumenting/exposition_formats/#text-format-details */
import assert from 'node:assert/strict';

export interface Sample {
  /** As it stands there: of a histogram with its `_bucket`, `_sum` or `_count`. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Family {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: readonly Sample[];
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"(?:,|$)/y;
const ESCAPES: Readonly<Record<string, string>> = { '\\\\': '\\', '\\"': '"', '\\n': '\n' };

/** Throws AssertionError where the text is not what Prometheus reads without a complaint. */
export function parseExposition(text: string): ReadonlyMap<string, Family> {
  assert.ok(text.endsWith('\n'), 'the last line ends');
  const families = new Map<string, { name: string; type: string; help: string; samples: Sample[] }>();
  const series = new Set<string>();
  let current: { name: string; type: string; help: string; samples: Sample[] } | undefined;
  let help: { readonly name: string; readonly text: string } | undefined;
  for (const line of text.slice(0, -1).split('\n')) {
    if (line === '') continue;
    const comment = new RegExp(`^# (HELP|TYPE) (${NAME}) (.+)$`).exec(line);
    if (comment !== null) {
      const [, what, name = '', rest = ''] = comment;
      if (what === 'HELP') help = { name, text: rest };
      else {
        assert.match(rest, /^(counter|gauge|histogram|summary|untyped)$/, line);
        assert.equal(help?.name, name, `${name} has its help right before its type`);
        assert.ok(!families.has(name), `${name} comes once`);
        current = { name, type: rest, help: help?.text ?? '', samples: [] };
        families.set(name, current);
      }
      continue;
    }
    assert.ok(!line.startsWith('#'), `no other comments: ${line}`);
    const sample = parseSample(line);
    assert.ok(current !== undefined && isOf(current, sample.name), `${line}: stands with its family`);
    const id = `${sample.name} ${JSON.stringify(Object.entries(sample.labels).sort())}`;
    assert.ok(!series.has(id), `${line}: comes once`);
    series.add(id);
    current.samples.push(sample);
  }
  for (const family of families.values()) if (family.type === 'histogram') checkHistogram(family);
  return families;
}

/** What `promtool check metrics` says of names, and of what they measure. Answers its complaints. */
export function lint(families: Iterable<Family>): string[] {
  const complaints: string[] = [];
  for (const { name, type, help, samples } of families) {
    const complain = (text: string): number => complaints.push(`${name}: ${text}`);
    if (help === '') complain('no help text');
    if (type === 'counter' && !name.endsWith('_total')) complain('counters end in _total');
    if (type !== 'counter' && name.endsWith('_total')) complain('only counters end in _total');
    if (/_(count|sum|bucket)$/.test(name)) complain('a suffix of histograms');
    if (/[A-Z:]/.test(name)) complain('no capitals, no colons');
    if (/_(counter|gauge|histogram|summary)(_|$)/.test(name)) complain('the type is no part of the name');
    if (/_(ms|milliseconds|minutes|hours|kb|mb|kilobytes|megabytes|percent)(_|$)/.test(name))
      complain('base units: seconds, bytes, ratio');
    if (type === 'histogram' && !/_(seconds|bytes)$/.test(name)) complain('a unit is missing');
    for (const { labels } of samples) {
      if ('le' in labels && type !== 'histogram') complain('le is of histograms');
      if ('quantile' in labels && type !== 'summary') complain('quantile is of summaries');
    }
  }
  return complaints;
}

/** The value of one series; undefined: it is not there. */
export function findValue(
  families: ReadonlyMap<string, Family>,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  const family = families.get(name) ?? families.get(name.replace(/_(bucket|sum|count)$/, ''));
  const wanted = JSON.stringify(Object.entries(labels).sort());
  return family?.samples.find(
    one => one.name === name && JSON.stringify(Object.entries(one.labels).sort()) === wanted,
  )?.value;
}

function parseSample(line: string): Sample {
  const match = new RegExp(`^(${NAME})(?:\\{(.*)\\})? (\\S+)$`).exec(line);
  assert.ok(match !== null, `a sample: ${line}`);
  const [, name = '', inside = '', value = ''] = match;
  const labels: Record<string, string> = {};
  LABEL.lastIndex = 0;
  while (LABEL.lastIndex < inside.length) {
    const at = LABEL.lastIndex;
    const label = LABEL.exec(inside);
    assert.ok(label !== null, `labels from ${at} on: ${line}`);
    const [, key = '', text = ''] = label;
    assert.ok(!(key in labels), `${key} twice: ${line}`);
    labels[key] = text.replace(/\\[\\"n]/g, found => ESCAPES[found] ?? found);
  }
  assert.match(value, /^(NaN|[+-]Inf|-?\d+(\.\d+)?(e[+-]?\d+)?)$/, line);
  return { name, labels, value: value.endsWith('Inf') ? Number(`${value}inity`) : Number(value) };
}

function isOf({ name, type }: Family, sample: string): boolean {
  if (type !== 'histogram') return sample === name;
  return [`${name}_bucket`, `${name}_sum`, `${name}_count`].includes(sample);
}

/** Buckets grow, the last one is +Inf and says what the count says. */
function checkHistogram({ name, samples }: Family): void {
  const groups = Map.groupBy(samples, ({ labels: { le: _, ...rest } }) =>
    JSON.stringify(Object.entries(rest).sort()),
  );
  for (const [group, all] of groups) {
    const buckets = all.filter(one => one.name === `${name}_bucket`);
    const bounds = buckets.map(({ labels: { le = '' } }) => Number(le.replace('+Inf', 'Infinity')));
    const counts = buckets.map(({ value }) => value);
    const count = all.find(one => one.name === `${name}_count`)?.value;
    assert.deepEqual(
      bounds,
      bounds.toSorted((a, b) => a - b),
      `${name} ${group}: bounds grow`,
    );
    assert.deepEqual(
      counts,
      counts.toSorted((a, b) => a - b),
      `${name} ${group}: counts are cumulative`,
    );
    assert.equal(bounds.at(-1), Number.POSITIVE_INFINITY, `${name} ${group} ends with +Inf`);
    assert.equal(counts.at(-1), count, `${name} ${group}: +Inf is the count`);
    assert.ok(
      all.some(one => one.name === `${name}_sum`),
      `${name} ${group} has a sum`,
    );
  }
}
