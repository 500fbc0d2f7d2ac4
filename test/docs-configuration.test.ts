/** docs/configuration.md against the settings that `attache serve` knows. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse } from 'yaml';
import { XDS_LIMITS } from '../src/model/xds-limits.ts';
import { SETTINGS, type Setting } from '../src/settings.ts';

const text = readFileSync(new URL('../docs/configuration.md', import.meta.url), 'utf8');

function toRow({ name, value, help, list }: Setting): string {
  const variable = `ATTACHE_${name.toUpperCase().replaceAll('-', '_')}`;
  return `| \`${name}\` | \`${value}\`${list ? ', list' : ''} | \`${variable}\` | ${help} |`;
}

/** The formatter aligns tables. */
function withoutPadding(row: string): string {
  return row.replace(/ +\|/g, ' |');
}

test('the table is the settings, in their order and their words', () => {
  const rows = text
    .split('\n')
    .filter(line => line.startsWith('| `') && line.includes('`ATTACHE_'))
    .map(withoutPadding);
  assert.deepEqual(rows, SETTINGS.map(toRow));
});

test('the table of limits is the limits, in their order and their words', () => {
  const rows = text
    .split('\n')
    .filter(line => line.startsWith('| `') && !line.includes('`ATTACHE_'))
    .map(withoutPadding);
  assert.deepEqual(
    rows,
    XDS_LIMITS.map(row => `| \`${row.name}\` | ${row.byDefault} | ${row.help} | ${row.beyond} |`),
  );
});

test('the example file has only settings that exist', () => {
  const example = /```yaml\n([^`]*)```/.exec(text)?.[1] ?? '';
  const keys = Object.keys(parse(example) as object);
  assert.ok(keys.length > 0);
  assert.deepEqual(
    keys.filter(key => !SETTINGS.some(setting => setting.name === key)),
    [],
  );
});

test('every ATTACHE_ variable it mentions is read somewhere', () => {
  const known = new Set(SETTINGS.map(({ name }) => `ATTACHE_${name.toUpperCase().replaceAll('-', '_')}`));
  const others = [
    'ATTACHE_CONFIG',
    'ATTACHE_SERVER',
    'ATTACHE_TOKEN',
    'ATTACHE_ENVOY',
    'ATTACHE_ENVOY_VERSION',
  ];
  const mentioned = [...text.matchAll(/ATTACHE_[A-Z]\w*/g)].map(match => match[0]);
  assert.deepEqual(
    mentioned.filter(name => !known.has(name) && !others.includes(name)),
    [],
  );
});
