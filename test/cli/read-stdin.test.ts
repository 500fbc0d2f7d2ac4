import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const MODULE = fileURLToPath(new URL('../../src/cli/read-stdin.ts', import.meta.url));
/** Looks at stdin first, as commander does, and reads while the writer has written nothing. */
const SCRIPT = `
  import { writeSync } from 'node:fs';
  const { readStdin } = await import(${JSON.stringify(MODULE)});
  process.stdin;
  writeSync(1, 'reads\\n');
  writeSync(1, String(readStdin().length));
`;

test('stdin is read to its end, whenever its writer writes', async () => {
  const child = spawn(process.execPath, ['--input-type=module', '-e', SCRIPT], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exit = once(child, 'exit');
  let out = '';
  child.stdout.on('data', chunk => {
    out += String(chunk);
  });
  while (!out.includes('reads\n')) await once(child.stdout, 'data');
  child.stdin.write('a'.repeat(100_000));
  child.stdin.end('b');
  assert.deepEqual(await exit, [0, null]);
  assert.equal(out, 'reads\n100001');
});
