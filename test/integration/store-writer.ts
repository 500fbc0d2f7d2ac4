/**
 * The child of store-kill.test.ts: writes for ever and prints each write once it was answered. Arguments: data
 * directory, first number.
 */
import { writeSync } from 'node:fs';
import { toDecision } from '../../src/model/audit.ts';
import { openSqliteStore } from '../../src/store/sqlite-store.ts';
import type { Records } from '../../src/store/store.ts';
import { StoreError } from '../../src/store/store-error.ts';

const [directory = '', first = '0'] = process.argv.slice(2);
const ENTRY = { action: 'test.written', subject: 'newest', behalf: undefined };
const clock = { now: Date.now, after: () => () => {} };

try {
  const store = await openSqliteStore({ directory, clock });
  writeSync(1, 'open\n');
  for (let n = Number(first); ; n += 1) {
    // Two records that must live or die together, one key that every write replaces, an entry of the audit, and a node:
    // so long that segments are dropped and written again within a few hundred writes, and each third is compressed.
    const hex = String(n).repeat(1 + (n % 300));
    const revision = await store.transaction([
      { op: 'put', kind: 'ModuleKey', key: `left-${n}`, value: { hex } },
      { op: 'put', kind: 'ModuleKey', key: `right-${n}`, value: { hex } },
      { op: 'put', kind: 'ModuleKey', key: 'newest', value: { hex: String(n) } },
      { op: 'put', kind: 'NodePresence', key: `node-${n % 50}`, value: toNode(n) },
      { op: 'append', kind: 'AuditEntry', value: toDecision(0, { ...ENTRY, text: String(n) }) },
    ]);
    writeSync(1, `${n} ${revision}\n`);
  }
} catch (error) {
  process.exitCode = error instanceof StoreError && error.code === 'data-directory-in-use' ? 7 : 1;
}

function toNode(n: number): Records['NodePresence'] {
  return {
    process: String(n),
    filler: 'x'.repeat(n % 3 === 0 ? 12_000 : 5_000),
  } as unknown as Records['NodePresence'];
}
