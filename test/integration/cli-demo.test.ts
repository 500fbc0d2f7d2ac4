import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runAttache } from '../harness/run-attache.ts';
import { until } from '../harness/wait.ts';

const PROGRAM = fileURLToPath(new URL('../../bin/attache', import.meta.url));

test('demo --once tells the story, every step measured, and leaves nothing', async () => {
  const { code, out, err } = await runAttache(['demo', '--once']);
  assert.equal(code, 0, out + err);
  assert.match(
    out,
    /^ {2}1 {2}control plane {3}xDS 127\.0\.0\.1:\d+ {3}modules 127\.0\.0\.1:\d+ {3}API http:\/\/127\.0\.0\.1:\d+$/m,
  );
  assert.match(out, /^ {2}2 {2}envoy .*node "demo-1", http:\/\/127\.0\.0\.1:\d+$/m);
  assert.match(out, /^ {2}3 {2}push +plugins\/add-header → oci:\/\/.*sha256 [0-9a-f]{12}$/m);
  assert.match(out, /demo-1 {2}(Accepted|Loaded) {2}revision 1 /);
  assert.match(out, /→ {2}200 {3}x-hello: world/);
  const [, good, sent] =
    /0 listener updates, ([\d,]+) of ([\d,]+) requests answered meanwhile/.exec(out) ?? [];
  assert.ok(good !== undefined && good === sent, out);
  assert.match(
    out,
    /refused by demo-1: "Unable to create Wasm plugin default\/hello" +rolled back to revision 2 in \d+\.\d s$/m,
  );
  assert.match(out, /x-hello: again +0 failed requests of [\d,]+$/m);
  const [, folder] = /everything lives in (\S+)/.exec(out) ?? [];
  assert.ok(folder !== undefined && !existsSync(folder));
  assert.doesNotMatch(out, /\b(slots?|attempts?|verdicts?|process|processes|nonces?|cohorts?)\b/i);
});

test('it stays up, its printed commands work, and Ctrl-C ends all of it', async () => {
  const demo = spawn(PROGRAM, ['demo'], { stdio: ['ignore', 'pipe', 'inherit'] });
  let out = '';
  demo.stdout.setEncoding('utf8').on('data', text => {
    out += text;
  });
  const exit = new Promise<number | null>(resolve => demo.once('exit', resolve));
  try {
    await until(() => out.includes('curl -i'), { what: 'the demo to say what to try', deadlineMs: 60_000 });
    const [, folder = ''] = /everything lives in (\S+)/.exec(out) ?? [];
    const [, server] = /export ATTACHE_SERVER=(\S+)/.exec(out) ?? [];
    const env = server === undefined ? {} : { ATTACHE_SERVER: server };
    for (const [, line = ''] of out.matchAll(/^ +bin\/attache (.*)$/gm)) {
      const { code, out: shown } = await runAttache(line.split(' '), { env });
      assert.equal(code, 0, line);
      assert.match(shown, /demo-1/);
    }
    const [, url = ''] = /curl -i (\S+)/.exec(out) ?? [];
    assert.equal((await fetch(url)).headers.get('x-hello'), 'again');
    demo.kill('SIGINT');
    assert.equal(await exit, 0);
    assert.ok(!existsSync(folder));
    for (const gone of [url, server ?? 'http://127.0.0.1:18002'])
      await assert.rejects(fetch(gone), 'nobody listens any more');
  } finally {
    demo.kill('SIGINT');
    await exit;
  }
});

test('Ctrl-C in the middle ends what was started so far', async () => {
  const demo = spawn(PROGRAM, ['demo'], { stdio: ['ignore', 'pipe', 'ignore'] });
  let out = '';
  demo.stdout.setEncoding('utf8').on('data', text => {
    out += text;
  });
  const exit = new Promise<number | null>(resolve => demo.once('exit', resolve));
  await until(() => /^ {2}1 /m.test(out), { what: 'the control plane' });
  demo.kill('SIGINT');
  assert.equal(await exit, 130);
  const [, folder = ''] = /everything lives in (\S+)/.exec(out) ?? [];
  const [, api = ''] = /API (\S+)/.exec(out) ?? [];
  assert.ok(!existsSync(folder));
  await assert.rejects(fetch(api));
});
