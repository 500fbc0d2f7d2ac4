import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readShape } from '../../harness/bootstrap-shapes.ts';
import { folder, run, withServer } from '../run-main.ts';

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

test('doctor --bootstrap: lines for people, data for programs, and an exit code', async () => {
  const file = write('stranger.yaml', readShape('own-wasm.yaml'));
  const people = await run(['doctor', '--bootstrap', file]);
  assert.equal(people.code, 1);
  assert.match(
    people.out,
    /^bootstrap .*stranger\.yaml\n {2}problem {2}.*\n {2}problem {2}.*\n2 problems\n$/,
  );
  const programs = await run(['doctor', '--bootstrap', file, '-o', 'json']);
  const { problems, warnings, reports } = JSON.parse(programs.out);
  assert.deepEqual([programs.code, problems, warnings], [1, 2, 0]);
  assert.deepEqual(
    reports[0].findings.map((one: { code: string }) => one.code),
    ['no-node', 'no-ads'],
  );
});

test('doctor: a file that is no bootstrap is a problem, one that is not there is an error', async () => {
  for (const text of ['a: [', '- 1', ''])
    assert.equal((await run(['doctor', '--bootstrap', write('odd.yaml', text)])).code, 1);
  const missing = await run(['doctor', '--bootstrap', join(folder, 'no.yaml')]);
  assert.equal(missing.code, 1);
  assert.match(missing.err, /^error: .*no\.yaml/);
});

test('doctor --admin takes an address, or the URL of it', async () => {
  assert.equal((await run(['doctor', '--admin', 'nowhere'])).code, 2);
  for (const address of ['127.0.0.1:1', 'http://127.0.0.1:1/']) {
    const { code, out } = await run(['doctor', '--admin', address, '-o', 'json']);
    assert.equal(code, 1);
    assert.equal(JSON.parse(out).reports[0].findings[0].code, 'envoy-unreachable');
  }
});

test('doctor --server: one that does not answer, and one that refuses', async () => {
  const { code, out } = await run(['doctor', '--server', 'http://127.0.0.1:1']);
  assert.equal(code, 1);
  assert.match(out, /problem {2}http:\/\/127\.0\.0\.1:1 does not answer/);
  await withServer({}, async server => {
    const refused = await run(['doctor', '--server', server, '-o', 'json']);
    assert.equal(refused.code, 1);
    assert.equal(JSON.parse(refused.out).reports[0].findings[0].code, 'server-refuses');
  });
});
