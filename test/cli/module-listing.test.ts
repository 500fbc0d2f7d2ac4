import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ModuleView } from '../../src/api/schema/module-view.ts';
import { MODULES, toTable } from '../../src/cli/listings.ts';
import { AT } from './views.ts';

type Signature = ModuleView['signatures'][number];

function signature(state: Signature['state'], text: string): Signature {
  return { url: 'oci://r/auth:1', state, text, why: null, refused: false, by: [], checkedAt: AT };
}

function cellOf(heading: string, signatures: readonly Signature[]): string | undefined {
  const module: ModuleView = {
    kind: 'Module',
    sha256: '9f2c4be01d77'.padEnd(64, '0'),
    sizeBytes: 254_000,
    abi: '0.2.1',
    importCount: 27,
    layout: 'cncf',
    mirrors: [],
    from: ['oci://r/auth:1'],
    revisions: [],
    here: true,
    inRegistry: false,
    heldBy: [],
    nodes: 1,
    signatures: [...signatures],
    firstSeenAt: AT,
  };
  const { headings, rows } = toTable(MODULES, [module], Date.parse(AT), true);
  return rows[0]?.[headings.indexOf(heading)];
}

test('SIGNED names who signed, or says that nobody did, or that it does not hold', () => {
  const verified = signature('verified', 'verified by release, key 9f2c4be01d77');
  const unsigned = signature('unsigned', 'not signed: verificationKey asks for release');
  const failed = signature('failed', 'failed: a signature was made by another key');
  const unchecked = signature('unchecked', 'not checked: r answers 503');
  assert.equal(cellOf('SIGNED', [verified]), 'release, key 9f2c4be01d77');
  assert.equal(cellOf('SIGNED', [unsigned]), 'no');
  assert.equal(cellOf('SIGNED', [failed]), 'failed');
  assert.equal(cellOf('SIGNED', [unchecked]), 'not checked');
  assert.equal(cellOf('SIGNED', []), '–');
  assert.equal(
    cellOf('SIGNED', [verified, unchecked, failed]),
    'failed, not checked, release, key 9f2c4be01d77',
  );
});

test('the wide table says why', () => {
  const text = 'failed: a signature was made by another key';
  assert.equal(cellOf('SIGNATURE', [signature('failed', text)]), text);
  assert.equal(cellOf('SIGNATURE', []), '–');
});
