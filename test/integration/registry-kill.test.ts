import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { spawnChild } from '../harness/child-process.ts';
import { makeDirectory, openTestCache, startRegistry } from '../module/actors.ts';
import { callRegistry, toDigest } from '../module/registry-client.ts';

const CYCLES = 12;

test(`kill -9 in the middle of pushes and deletes, ${CYCLES} times: what was answered holds`, async t => {
  const directory = join(await makeDirectory(t), 'modules');
  const expected = new Map<string, string | undefined>();
  let changes = 0;
  for (let cycle = 0; cycle < CYCLES; cycle++) {
    const lines = await killWriter(directory, cycle * 1000, 100 + ((cycle * 97) % 600));
    const unsure = follow(expected, lines);
    changes += lines.length;
    const cache = await openTestCache(directory);
    const { host } = await startRegistry(t, undefined, { cache });
    await checkAll(host, expected, unsure);
    // The next upload clears away what was left of others.
    const upload = await callRegistry(host)('POST', '/v2/a/blobs/uploads/');
    await callRegistry(host)('DELETE', upload.headers.get('location') ?? '');
    assert.deepEqual(await findLeft(directory), []);
  }
  assert.ok(changes > CYCLES, 'the writer wrote');
});

/** Applies the answered changes; gives the tags and digests that an unanswered one may have changed. */
function follow(expected: Map<string, string | undefined>, lines: readonly string[]): ReadonlySet<string> {
  const unsure = new Set<string>();
  for (const [what, name = '', digest = ''] of lines.map(line => line.split(' '))) {
    if (what === 'put') expected.set(name, digest);
    if (what === 'delete') unsure.add(name);
    if (what === 'deleted') {
      unsure.delete(name);
      for (const [tag, of] of expected) if (of === name) expected.set(tag, undefined);
    }
  }
  return unsure;
}

/** Every tag names what it was last said to name, or what a push that was not answered put there; all of it is whole. */
async function checkAll(
  host: string,
  expected: Map<string, string | undefined>,
  unsure: ReadonlySet<string>,
): Promise<void> {
  const call = callRegistry(host);
  const list = await call('GET', '/v2/a/tags/list');
  const tags: string[] = list.status === 404 ? [] : list.json().tags;
  let differing = 0;
  for (const tag of new Set([...tags, ...expected.keys()])) {
    const got = await call('GET', `/v2/a/manifests/${tag}`);
    const digest = got.status === 200 ? toDigest(got.body) : undefined;
    const wanted = expected.get(tag);
    if (digest !== wanted && !(digest === undefined && unsure.has(wanted ?? ''))) differing++;
    expected.set(tag, digest);
    if (digest === undefined) continue;
    const { config, layers } = got.json();
    for (const blob of [config, ...layers]) {
      const { status, body } = await call('GET', `/v2/a/blobs/${blob.digest}`);
      assert.deepEqual([status, toDigest(body)], [200, blob.digest]);
    }
  }
  assert.ok(differing <= 1, `${differing} tags name something else; one push at most was not answered`);
}

async function killWriter(directory: string, first: number, afterMs: number): Promise<readonly string[]> {
  const writer = join(import.meta.dirname, 'registry-writer.ts');
  const { child, ended } = spawnChild(process.execPath, [writer, directory, String(first)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  const closed = once(child, 'close');
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  await Promise.race([once(child.stdout ?? child, 'data'), ended]);
  // The instant of the kill is the point of the test, not a wait for something.
  await delay(afterMs);
  child.kill('SIGKILL');
  await closed;
  return output.split('\n').slice(1, -1);
}

async function findLeft(directory: string): Promise<readonly string[]> {
  const names = await readdir(directory, { recursive: true });
  return names.filter(name => name.endsWith('.tmp') || /uploads\/./.test(name));
}
