/** docs/xds.md against the code. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { XDS_TYPES } from '../src/model/type-url.ts';
import { DISCOVERY_METHODS, serviceOf } from '../src/xds/discovery-services.ts';
import { loadServiceProtos } from '../src/xds/reflection/service-protos.ts';

const page = readFileSync(new URL('../docs/xds.md', import.meta.url), 'utf8');

/** Cells of the table row that has this text. */
function rowOf(text: string): readonly string[] {
  const row = page.split('\n').find(line => line.startsWith('|') && line.includes(text));
  return row?.split('|').map(cell => cell.trim()) ?? assert.fail(`no row has ${text}`);
}

test('every service is on the page with both its methods, and no other', () => {
  for (const { path, form } of DISCOVERY_METHODS) {
    const [, method = ''] = path.slice(1).split('/');
    const row = rowOf(`\`${serviceOf(path).replace('envoy.service.', '')}\``);
    assert.equal(row[form === 'delta' ? 4 : 5], `\`${method}\``);
  }
  const rows = page.match(/DiscoveryService` +\| `Delta/g) ?? [];
  assert.equal(rows.length, new Set(DISCOVERY_METHODS.map(({ path }) => serviceOf(path))).size);
});

test('what no names at first mean is as the table of types has it', () => {
  for (const { short, wildcard } of XDS_TYPES) {
    const row = rowOf(`| ${short.toUpperCase()} `);
    assert.equal(row[6], wildcard ? 'everything' : 'nothing', short);
  }
});

test('every status of CSDS is told', () => {
  const status = loadServiceProtos().root.lookupEnum('envoy.service.status.v3.ConfigStatus');
  for (const name of Object.keys(status.values)) rowOf(`| \`${name}\``);
});
