/** Backups of a server that is written to all the time, and what comes of them. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, test } from 'node:test';
import { NOT_YET } from '../../src/backup/restore-backup.ts';
import { BACKUP_MANIFEST, type BackupManifest } from '../../src/model/backup.ts';
import { AttacheProcess } from '../harness/attache-process.ts';
import { buildStamp } from '../harness/fixture-modules.ts';
import { rawCluster } from '../harness/raw-resources.ts';
import { runAttache } from '../harness/run-attache.ts';
import { until } from '../harness/wait.ts';

const folder = mkdtempSync(join(tmpdir(), 'attache-backup-'));
/** A server with a plugin, an artifact in the built-in registry, and a pull secret. */
let attache: AttacheProcess;
before(async () => {
  attache = await AttacheProcess.start();
  await attache.applyPlugin('stamp', { url: await attache.offer(await buildStamp('backup')) });
  await until(async () => (await readPlugin()).status.desiredRevision === 1, { what: 'the module' });
  const pushed = join(attache.folder, 'pushed.wasm');
  writeFileSync(pushed, (await buildStamp('pushed')).bytes);
  await cli('push', pushed, 'team/stamp:v1');
  await attache.must('PUT', '/v1/pullsecrets/default/regcred', {
    apiVersion: 'attache/v1',
    kind: 'PullSecret',
    metadata: { name: 'regcred', namespace: 'default' },
    dockerConfig: { auths: { 'registry.example': { username: 'u', password: 'word' } } },
  });
});
after(async () => {
  await attache.stop();
  rmSync(folder, { recursive: true });
});

const readPlugin = () => attache.must('GET', '/v1/plugins/default/stamp');

async function cli(...args: readonly string[]): Promise<string> {
  const { code, out, err } = await runAttache(args, { env: { ATTACHE_SERVER: attache.addresses.api } });
  assert.equal(code, 0, err);
  return out;
}

async function backUp(name: string, ...flags: readonly string[]): Promise<string> {
  const file = join(folder, name);
  await cli('backup', file, ...flags);
  return file;
}

function readManifest(file: string): BackupManifest {
  return JSON.parse(execFileSync('tar', ['-xOf', file, BACKUP_MANIFEST], { encoding: 'utf8' }));
}

const restore = (file: string, data: string) => runAttache(['restore', file, '--data', data]);

test('a backup under load is the store at exactly one revision, and all that was acknowledged before', async () => {
  let acknowledged = 0;
  let stopped = false;
  const writing = (async () => {
    // The port says which write it was; each goes with an event, in one transaction.
    while (!stopped) {
      await attache.applyResource('clusters', 'counter', rawCluster('counter', 1_000 + acknowledged + 1));
      acknowledged++;
    }
  })();
  await until(() => acknowledged > 20, { what: 'some writes' });
  for (const name of ['one.tar', 'two.tar', 'three.tar']) {
    const before = acknowledged;
    const file = await backUp(name);
    const most = acknowledged + 1;
    const data = join(folder, `data-${name}`);
    assert.equal((await restore(file, data)).code, 0);
    const db = new DatabaseSync(join(data, 'attache.db'), { readOnly: true });
    const { counter, newest } = db
      .prepare('SELECT (SELECT revision FROM counter) AS counter, max(mod_rev) AS newest FROM current')
      .get() as { counter: number; newest: number };
    assert.equal(counter, readManifest(file).revision);
    assert.ok(newest <= counter);
    const last = db
      .prepare("SELECT value, mod_rev FROM current WHERE kind = 'ResourceSpec' AND key LIKE '%/counter'")
      .get() as { value: string; mod_rev: number };
    const written = Number(/"port_?[vV]alue":(\d+)/.exec(last.value)?.[1]) - 1_000;
    assert.ok(written >= before && written <= most, `${before} <= ${written} <= ${most}`);
    const events = db
      .prepare(`SELECT count(*) AS count FROM observed WHERE heads LIKE '%"Event"%' AND mod_rev = ?`)
      .get(last.mod_rev) as { count: number };
    assert.equal(events.count, 1, 'what was written together is there together');
    db.close();
  }
  stopped = true;
  await writing;
});

test('what was restored serves modules, artifacts and secrets without what they came from', async () => {
  const file = await backUp('whole.tar');
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.deepEqual(
    readdirSync(folder).filter(name => name.includes('partial')),
    [],
  );
  const plugin = await readPlugin();
  await attache.end();
  const data = join(attache.folder, 'data');
  rmSync(data, { recursive: true });
  rmSync(join(attache.folder, 'modules'), { recursive: true });
  mkdirSync(join(attache.folder, 'modules'));

  const { code, out } = await restore(file, data);
  assert.equal(code, 0);
  assert.match(out, /1 plugin, 1 resource, 0 nodes, \d+ modules and layers/);
  for (const name of ['attache.db', 'secret-key', 'modules/index.json'])
    assert.equal(statSync(join(data, name)).mode & 0o777, 0o600, name);
  await attache.startAgain();
  assert.deepEqual((await readPlugin()).spec, plugin.spec);
  await cli('pull', 'team/stamp:v1', '-o', join(folder, 'pulled.wasm'));
  const { sha256 } = await buildStamp('backup');
  assert.ok(existsSync(join(data, 'modules', 'blobs', 'sha256', sha256)));
  const { items } = await attache.must('GET', '/v1/modules');
  assert.ok(items.some((one: { sha256: string }) => one.sha256 === sha256));
  const log = await attache.log();
  assert.doesNotMatch(log, /damaged|cannot be opened/);
});

test('without keys an archive has no file that opens anything, and says so', async () => {
  const file = await backUp('no-keys.tar', '--no-keys');
  const names = execFileSync('tar', ['-tf', file], { encoding: 'utf8' }).trim().split('\n');
  assert.ok(names.includes('attache.db'));
  assert.deepEqual(
    names.filter(name => /key|token/.test(name)),
    [],
  );
  assert.ok(readManifest(file).withoutKeys);
  const { code, out } = await runAttache(['restore', file, '--check']);
  assert.equal(code, 0);
  assert.match(out, /is whole\n(.*\n)*.*without the key of stored secrets/);

  const again = await runAttache(['backup', file], { env: { ATTACHE_SERVER: attache.addresses.api } });
  assert.equal(again.code, 1);
  assert.match(again.err, /exists already/);
  const events = await attache.must('GET', '/v1/events');
  assert.ok(
    events.items.some((one: { type: string; message: string }) => /without keys/.test(one.message)),
    'that it was taken is told',
  );
});

test('what is not a whole, sound backup is refused, and the directory left as it was', async () => {
  const file = await backUp('sound.tar');
  const sound = readFileSync(file);
  const data = join(folder, 'refused');
  const refuse = async (name: string, bytes: Buffer, pattern: RegExp) => {
    const path = join(folder, `${name}.tar`);
    writeFileSync(path, bytes);
    const { code, err } = await restore(path, data);
    assert.equal(code, 1, name);
    assert.match(err, pattern, name);
    assert.deepEqual(readdirSync(data), [], name);
    assert.equal((await runAttache(['restore', path, '--check'])).code, 1, name);
  };
  const flipped = Buffer.from(sound);
  const at = flipped.indexOf('SQLite format 3') + 5_000;
  flipped[at] = (flipped[at] ?? 0) ^ 1;
  mkdirSync(data);
  await refuse('flipped', flipped, /attache\.db is not what was backed up/);
  await refuse('cut', sound.subarray(0, sound.length - 20_000), /too early|not readable/);
  await refuse('other', Buffer.from('no tar at all'), /ends at byte 13/);
  // The list of files is replaced by one of the same length.
  const later = Buffer.from(sound.toString('latin1').replace('"format": 1,', '"format": 9,'), 'latin1');
  await refuse('later', later, /format 9/);
  const newer = Buffer.from(sound.toString('latin1').replace(/"schema": \d,/, '"schema": 9,'), 'latin1');
  await refuse('newer', newer, /schema 9/);
  const away = sound.toString('latin1').replace('"path": "attache.db"', '"path": "../ache.db"');
  await refuse('away', Buffer.from(away, 'latin1'), /names what no backup holds/);

  writeFileSync(join(data, 'mine'), 'x');
  const used = await restore(file, data);
  assert.equal(used.code, 1);
  assert.match(used.err, /is not empty: it holds mine\n.*--data DIR/);
  assert.deepEqual(readdirSync(data), ['mine']);
});

test('a restore that was killed leaves a directory that no server takes for a new one', async () => {
  const data = join(folder, 'killed');
  mkdirSync(data);
  writeFileSync(join(data, 'attache.db'), NOT_YET);
  const listen = ['xds', 'modules', 'api'].flatMap(name => [`--${name}-listen`, '127.0.0.1:0']);
  const { code, err } = await runAttache(['serve', '--data', data, ...listen]);
  assert.equal(code, 1);
  assert.match(err, /not a database/);
});
