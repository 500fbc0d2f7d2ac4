import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { SHELLS } from '../../src/cli/completion-scripts.ts';
import { runAttache } from '../harness/run-attache.ts';

const folder = mkdtempSync(join(tmpdir(), 'attache-completion-'));
after(() => rmSync(folder, { recursive: true }));
symlinkSync(fileURLToPath(new URL('../../bin/attache', import.meta.url)), join(folder, 'attache'));
const env = { ...process.env, PATH: `${folder}:${process.env.PATH}`, ATTACHE_SERVER: 'http://127.0.0.1:9' };

/** What bash would offer after a tab. */
function complete(...words: readonly string[]): readonly string[] {
  const script = `
    source <(attache completion bash)
    COMP_WORDS=(${words.map(word => JSON.stringify(word)).join(' ')}); COMP_CWORD=${words.length - 1}
    _attache; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return execFileSync('bash', ['-c', script], { env, encoding: 'utf8' }).trim().split('\n');
}

test('bash completes verbs, sub-verbs, flags and kinds', () => {
  assert.deepEqual(complete('attache', 'rol'), ['rollout']);
  assert.deepEqual(complete('attache', 'rollout', 'p'), ['pause', 'promote']);
  assert.deepEqual(complete('attache', 'get', 'nodes', '--wat'), ['--watch']);
  assert.deepEqual(complete('attache', 'get', 'no'), ['nodes', 'nodegroups']);
  assert.deepEqual(complete('attache', 'describe', 'node', 'x'), ['']);
});

test('the script of every shell that is here has no fault of its syntax', async t => {
  for (const shell of SHELLS) {
    const { out, code } = await runAttache(['completion', shell]);
    assert.equal(code, 0);
    const file = join(folder, `attache.${shell}`);
    writeFileSync(file, out);
    const { status, error, stderr } = spawnSync(shell, ['-n', file], { encoding: 'utf8' });
    if (error !== undefined) t.diagnostic(`${shell} is not here: its script was not read`);
    else assert.equal(status, 0, `${shell}: ${stderr}`);
  }
});
